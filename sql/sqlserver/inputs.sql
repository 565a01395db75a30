-- The tables that PowerFill reads (docs/guides/sqlserver.md), for a tenant that has none. A tenant
-- whose tables have other names or columns does not need this file. It creates views with these
-- names instead: see views_example.sql. Generated like outputs.sql.
--
-- Each guard reports what it did, and the file can be run again. `powerfill migrate --target
-- mssql://… --tables inputs` runs it for any schema. Run by hand, it creates the tables in dbo.
SET ANSI_NULLS ON; SET ANSI_PADDING ON; SET ANSI_WARNINGS ON; SET ARITHABORT ON; SET CONCAT_NULL_YIELDS_NULL ON;
SET QUOTED_IDENTIFIER ON; SET NUMERIC_ROUNDABORT OFF; SET NOCOUNT ON; SET XACT_ABORT ON;
GO
IF SCHEMA_ID(N'dbo') IS NULL
BEGIN
    EXEC(N'CREATE SCHEMA [dbo]');
    PRINT N'schema [dbo]: made';
END
ELSE
    PRINT N'schema [dbo]: is there';
GO
-- loan: One row per loan of the pipeline. Rules can use additional columns.
IF OBJECT_ID(N'[dbo].[loan]') IS NULL
BEGIN
    CREATE TABLE [dbo].[loan] (
        loan_id              NVARCHAR(100)  NOT NULL,
        curr_status          NVARCHAR(100)  NOT NULL,
        loan_amount          DECIMAL(19, 2) NOT NULL,
        note_rate            DECIMAL(9, 6)  NOT NULL,
        close_date           DATE           NULL,
        lock_expiration_date DATE           NULL,
        pool_name            NVARCHAR(100)  NULL,
        fico                 DECIMAL(18, 6) NULL,
        ltv                  DECIMAL(18, 6) NULL,
        dti                  DECIMAL(18, 6) NULL,
        units                DECIMAL(18, 6) NULL,
        term_months          DECIMAL(18, 6) NULL,
        state                NVARCHAR(100)  NULL,
        property_type        NVARCHAR(100)  NULL,
        occupancy            NVARCHAR(100)  NULL,
        purpose              NVARCHAR(100)  NULL,
        loan_type            NVARCHAR(100)  NULL,
        CONSTRAINT PK_loan PRIMARY KEY (loan_id),
        CONSTRAINT CK_loan_1 CHECK (loan_amount > 0)
    );
    PRINT N'[dbo].[loan]: made';
END
ELSE
    PRINT N'[dbo].[loan]: is there';
GO
-- loan_columns: The types of additional columns of loan.
IF OBJECT_ID(N'[dbo].[loan_columns]') IS NULL
BEGIN
    CREATE TABLE [dbo].[loan_columns] (
        column_name NVARCHAR(100) NOT NULL,
        type        NVARCHAR(10)  NOT NULL,
        CONSTRAINT PK_loan_columns PRIMARY KEY (column_name)
    );
    PRINT N'[dbo].[loan_columns]: made';
END
ELSE
    PRINT N'[dbo].[loan_columns]: is there';
GO
-- pscat_loan_stages: The rank of each status.
IF OBJECT_ID(N'[dbo].[pscat_loan_stages]') IS NULL
BEGIN
    CREATE TABLE [dbo].[pscat_loan_stages] (
        stage_name NVARCHAR(100) NOT NULL,
        stage_rank INT           NULL,
        CONSTRAINT PK_pscat_loan_stages PRIMARY KEY (stage_name)
    );
    PRINT N'[dbo].[pscat_loan_stages]: made';
END
ELSE
    PRINT N'[dbo].[pscat_loan_stages]: is there';
GO
-- pscat_instruments: An instrument that an investor buys.
IF OBJECT_ID(N'[dbo].[pscat_instruments]') IS NULL
BEGIN
    CREATE TABLE [dbo].[pscat_instruments] (
        investor_id              NVARCHAR(100)  NOT NULL,
        investor_instrument_name NVARCHAR(100)  NOT NULL,
        kind                     NVARCHAR(10)   NOT NULL,
        coupon                   DECIMAL(9, 6)  NULL,
        min_note_rate            DECIMAL(9, 6)  NULL,
        max_note_rate            DECIMAL(9, 6)  NULL,
        min_term_months          INT            NULL,
        max_term_months          INT            NULL,
        base_note_rate           DECIMAL(9, 6)  NULL,
        rate_multiple            DECIMAL(11, 8) NULL,
        CONSTRAINT PK_pscat_instruments PRIMARY KEY (investor_instrument_name)
    );
    PRINT N'[dbo].[pscat_instruments]: made';
END
ELSE
    PRINT N'[dbo].[pscat_instruments]: is there';
GO
-- pscat_trades: The trade book.
IF OBJECT_ID(N'[dbo].[pscat_trades]') IS NULL
BEGIN
    CREATE TABLE [dbo].[pscat_trades] (
        trade_id                 NVARCHAR(100)  NOT NULL,
        investor_instrument_name NVARCHAR(100)  NOT NULL,
        trade_type               NVARCHAR(10)   NOT NULL,
        status                   NVARCHAR(10)   NOT NULL,
        settlement_date          DATE           NULL,
        trade_amount             DECIMAL(19, 2) NOT NULL,
        tolerance                DECIMAL(9, 6)  NOT NULL,
        tolerance_amount         DECIMAL(19, 2) NULL,
        tolerance_rule           NVARCHAR(10)   NULL,
        tolerance_side           NVARCHAR(10)   NULL,
        trade_price              DECIMAL(11, 8) NULL,
        pair_off_amount          DECIMAL(19, 2) NULL,
        priced_only              CHAR(1)        NULL,
        CONSTRAINT PK_pscat_trades PRIMARY KEY (trade_id),
        CONSTRAINT CK_pscat_trades_1 CHECK (trade_amount > 0),
        CONSTRAINT CK_pscat_trades_2 CHECK (tolerance >= 0 AND tolerance <= 100)
    );
    PRINT N'[dbo].[pscat_trades]: made';
END
ELSE
    PRINT N'[dbo].[pscat_trades]: is there';
GO
-- pscat_pools: The pools, open or closed.
IF OBJECT_ID(N'[dbo].[pscat_pools]') IS NULL
BEGIN
    CREATE TABLE [dbo].[pscat_pools] (
        pool_name                NVARCHAR(100) NOT NULL,
        investor_instrument_name NVARCHAR(100) NOT NULL,
        status                   NVARCHAR(10)  NOT NULL,
        CONSTRAINT PK_pscat_pools PRIMARY KEY (pool_name)
    );
    PRINT N'[dbo].[pscat_pools]: made';
END
ELSE
    PRINT N'[dbo].[pscat_pools]: is there';
GO
-- pscat_trades_pools_relation: The trade that a pool is designated to. A pool is designated whole.
IF OBJECT_ID(N'[dbo].[pscat_trades_pools_relation]') IS NULL
BEGIN
    CREATE TABLE [dbo].[pscat_trades_pools_relation] (
        pool_name NVARCHAR(100) NOT NULL,
        trade_id  NVARCHAR(100) NOT NULL,
        CONSTRAINT PK_pscat_trades_pools_relation PRIMARY KEY (pool_name)
    );
    PRINT N'[dbo].[pscat_trades_pools_relation]: made';
END
ELSE
    PRINT N'[dbo].[pscat_trades_pools_relation]: is there';
GO
-- pscat_securitization_rules: A named boolean expression over the columns of loan.
IF OBJECT_ID(N'[dbo].[pscat_securitization_rules]') IS NULL
BEGIN
    CREATE TABLE [dbo].[pscat_securitization_rules] (
        rule_name   NVARCHAR(100) NOT NULL,
        rule_syntax NVARCHAR(MAX) NOT NULL,
        CONSTRAINT PK_pscat_securitization_rules PRIMARY KEY (rule_name)
    );
    PRINT N'[dbo].[pscat_securitization_rules]: made';
END
ELSE
    PRINT N'[dbo].[pscat_securitization_rules]: is there';
GO
-- rmcat_todays_prices: The price grid.
IF OBJECT_ID(N'[dbo].[rmcat_todays_prices]') IS NULL
BEGIN
    CREATE TABLE [dbo].[rmcat_todays_prices] (
        investor_instrument_name NVARCHAR(100)  NOT NULL,
        settlement_date          DATE           NOT NULL,
        note_rate                DECIMAL(9, 6)  NOT NULL,
        price                    DECIMAL(11, 8) NOT NULL,
        CONSTRAINT PK_rmcat_todays_prices PRIMARY KEY (investor_instrument_name, settlement_date, note_rate)
    );
    PRINT N'[dbo].[rmcat_todays_prices]: made';
END
ELSE
    PRINT N'[dbo].[rmcat_todays_prices]: is there';
GO
-- rmusr_payups: Pay-ups for loans that a rule selects.
IF OBJECT_ID(N'[dbo].[rmusr_payups]') IS NULL
BEGIN
    CREATE TABLE [dbo].[rmusr_payups] (
        investor_instrument_name NVARCHAR(100)  NOT NULL,
        payup_name               NVARCHAR(100)  NOT NULL,
        rule_name                NVARCHAR(100)  NOT NULL,
        payup                    DECIMAL(11, 8) NOT NULL,
        CONSTRAINT PK_rmusr_payups PRIMARY KEY (investor_instrument_name, payup_name)
    );
    PRINT N'[dbo].[rmusr_payups]: made';
END
ELSE
    PRINT N'[dbo].[rmusr_payups]: is there';
GO
-- loan_price: All-in prices from an external pricing engine.
IF OBJECT_ID(N'[dbo].[loan_price]') IS NULL
BEGIN
    CREATE TABLE [dbo].[loan_price] (
        loan_id  NVARCHAR(100)  NOT NULL,
        trade_id NVARCHAR(100)  NOT NULL,
        price    DECIMAL(11, 8) NOT NULL,
        CONSTRAINT PK_loan_price PRIMARY KEY (loan_id, trade_id)
    );
    PRINT N'[dbo].[loan_price]: made';
END
ELSE
    PRINT N'[dbo].[loan_price]: is there';
GO
-- pfill_constraints: A node of the constraint tree. Above their levels, instrument and name are empty texts.
IF OBJECT_ID(N'[dbo].[pfill_constraints]') IS NULL
BEGIN
    CREATE TABLE [dbo].[pfill_constraints] (
        investor_id              NVARCHAR(100) NOT NULL,
        investor_instrument_name NVARCHAR(100) NOT NULL,
        constraint_name          NVARCHAR(100) NOT NULL,
        constraint_priority      INT           NOT NULL,
        lo_limit                 DECIMAL(9, 6) NULL,
        hi_limit                 DECIMAL(9, 6) NULL,
        CONSTRAINT PK_pfill_constraints PRIMARY KEY (investor_id, investor_instrument_name, constraint_name)
    );
    PRINT N'[dbo].[pfill_constraints]: made';
END
ELSE
    PRINT N'[dbo].[pfill_constraints]: is there';
GO
-- pfill_constraint_sec_rule_rel: A rule of a node of the constraint tree.
IF OBJECT_ID(N'[dbo].[pfill_constraint_sec_rule_rel]') IS NULL
BEGIN
    CREATE TABLE [dbo].[pfill_constraint_sec_rule_rel] (
        investor_id              NVARCHAR(100) NOT NULL,
        investor_instrument_name NVARCHAR(100) NOT NULL,
        constraint_name          NVARCHAR(100) NOT NULL,
        rule_name                NVARCHAR(100) NOT NULL,
        CONSTRAINT PK_pfill_constraint_sec_rule_rel PRIMARY KEY (investor_id, investor_instrument_name, constraint_name, rule_name)
    );
    PRINT N'[dbo].[pfill_constraint_sec_rule_rel]: made';
END
ELSE
    PRINT N'[dbo].[pfill_constraint_sec_rule_rel]: is there';
GO
-- pfill_carry_cost: A bucket of the carry curve of an instrument. Buckets may overlap.
IF OBJECT_ID(N'[dbo].[pfill_carry_cost]') IS NULL
BEGIN
    CREATE TABLE [dbo].[pfill_carry_cost] (
        investor_instrument_name NVARCHAR(100) NOT NULL,
        on_day                   INT           NOT NULL,
        to_day                   INT           NOT NULL,
        annual_rate              DECIMAL(9, 6) NULL,
        CONSTRAINT PK_pfill_carry_cost PRIMARY KEY (investor_instrument_name, on_day),
        CONSTRAINT CK_pfill_carry_cost_1 CHECK (to_day >= on_day)
    );
    PRINT N'[dbo].[pfill_carry_cost]: made';
END
ELSE
    PRINT N'[dbo].[pfill_carry_cost]: is there';
GO
-- pfill_lockdown_guide: A pool whose loans stay, or may leave.
IF OBJECT_ID(N'[dbo].[pfill_lockdown_guide]') IS NULL
BEGIN
    CREATE TABLE [dbo].[pfill_lockdown_guide] (
        pool_name                NVARCHAR(100) NOT NULL,
        investor_instrument_name NVARCHAR(100) NULL,
        trade_id                 NVARCHAR(100) NULL,
        lock_pool                CHAR(1)       NOT NULL,
        CONSTRAINT PK_pfill_lockdown_guide PRIMARY KEY (pool_name)
    );
    PRINT N'[dbo].[pfill_lockdown_guide]: made';
END
ELSE
    PRINT N'[dbo].[pfill_lockdown_guide]: is there';
GO
-- pfill_preflight_settings: The settings of preflight (2.2).
IF OBJECT_ID(N'[dbo].[pfill_preflight_settings]') IS NULL
BEGIN
    CREATE TABLE [dbo].[pfill_preflight_settings] (
        min_pipeline_loans    INT NULL,
        max_snapshot_age_days INT NULL,
        max_price_age_days    INT NULL,
        lockdown_days         INT NULL
    );
    PRINT N'[dbo].[pfill_preflight_settings]: made';
END
ELSE
    PRINT N'[dbo].[pfill_preflight_settings]: is there';
GO
-- snapshot: The tenant and the day of the tables.
IF OBJECT_ID(N'[dbo].[snapshot]') IS NULL
BEGIN
    CREATE TABLE [dbo].[snapshot] (
        tenant_id    NVARCHAR(100) NOT NULL,
        as_of        DATE          NOT NULL,
        prices_as_of DATE          NULL
    );
    PRINT N'[dbo].[snapshot]: made';
END
ELSE
    PRINT N'[dbo].[snapshot]: is there';
GO
