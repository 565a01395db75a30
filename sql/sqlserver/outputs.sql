-- The tables in which PowerFill shows its outputs (docs/guides/sqlserver.md), the tables in which
-- rows arrive first (…__staging), and the table that names the run shown. Generated from the output
-- tables of the program: UPDATE=1 cargo nextest run -p powerfill-sqlserver
--
-- Each guard reports what it did, and the file can be run again. `powerfill migrate --target
-- mssql://…` runs it for any schema. Run by hand, it creates the tables in dbo.
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
IF OBJECT_ID(N'[dbo].[pfill_preflight_findings]') IS NULL
BEGIN
    CREATE TABLE [dbo].[pfill_preflight_findings] (
        run_id UNIQUEIDENTIFIER NOT NULL,
        code NVARCHAR(100) NOT NULL,
        severity NVARCHAR(100) NULL,
        subject NVARCHAR(400) NULL,
        message NVARCHAR(MAX) NULL,
        CONSTRAINT UQ_pfill_preflight_findings UNIQUE (run_id, code, subject)
    );
    PRINT N'[dbo].[pfill_preflight_findings]: made';
END
ELSE
    PRINT N'[dbo].[pfill_preflight_findings]: is there';
GO
IF OBJECT_ID(N'[dbo].[pfill_preflight_findings__staging]') IS NULL
BEGIN
    CREATE TABLE [dbo].[pfill_preflight_findings__staging] (
        row_no BIGINT NOT NULL,
        run_id UNIQUEIDENTIFIER NOT NULL,
        code NVARCHAR(100) NULL,
        severity NVARCHAR(100) NULL,
        subject NVARCHAR(400) NULL,
        message NVARCHAR(MAX) NULL,
        CONSTRAINT PK_pfill_preflight_findings__staging PRIMARY KEY (row_no)
    );
    PRINT N'[dbo].[pfill_preflight_findings__staging]: made';
END
ELSE
    PRINT N'[dbo].[pfill_preflight_findings__staging]: is there';
GO
IF OBJECT_ID(N'[dbo].[pfill_trade_base]') IS NULL
BEGIN
    CREATE TABLE [dbo].[pfill_trade_base] (
        run_id UNIQUEIDENTIFIER NOT NULL,
        trade_id NVARCHAR(100) NOT NULL,
        investor_id NVARCHAR(100) NULL,
        investor_instrument_name NVARCHAR(100) NULL,
        trade_type NVARCHAR(100) NULL,
        settlement_date DATE NULL,
        included NVARCHAR(100) NULL,
        exclusion_reason NVARCHAR(100) NULL,
        open_amount DECIMAL(19, 2) NULL,
        tolerance_amount DECIMAL(19, 2) NULL,
        min_amount DECIMAL(19, 2) NULL,
        max_amount DECIMAL(19, 2) NULL,
        held_amount DECIMAL(19, 2) NULL,
        CONSTRAINT PK_pfill_trade_base PRIMARY KEY (run_id, trade_id)
    );
    PRINT N'[dbo].[pfill_trade_base]: made';
END
ELSE
    PRINT N'[dbo].[pfill_trade_base]: is there';
GO
IF OBJECT_ID(N'[dbo].[pfill_trade_base__staging]') IS NULL
BEGIN
    CREATE TABLE [dbo].[pfill_trade_base__staging] (
        row_no BIGINT NOT NULL,
        run_id UNIQUEIDENTIFIER NOT NULL,
        trade_id NVARCHAR(100) NULL,
        investor_id NVARCHAR(100) NULL,
        investor_instrument_name NVARCHAR(100) NULL,
        trade_type NVARCHAR(100) NULL,
        settlement_date DATE NULL,
        included NVARCHAR(100) NULL,
        exclusion_reason NVARCHAR(100) NULL,
        open_amount DECIMAL(19, 2) NULL,
        tolerance_amount DECIMAL(19, 2) NULL,
        min_amount DECIMAL(19, 2) NULL,
        max_amount DECIMAL(19, 2) NULL,
        held_amount DECIMAL(19, 2) NULL,
        CONSTRAINT PK_pfill_trade_base__staging PRIMARY KEY (row_no)
    );
    PRINT N'[dbo].[pfill_trade_base__staging]: made';
END
ELSE
    PRINT N'[dbo].[pfill_trade_base__staging]: is there';
GO
IF OBJECT_ID(N'[dbo].[pfill_loan2trade_candy_level_01]') IS NULL
BEGIN
    CREATE TABLE [dbo].[pfill_loan2trade_candy_level_01] (
        run_id UNIQUEIDENTIFIER NOT NULL,
        turn BIGINT NOT NULL,
        candidate_rank BIGINT NOT NULL,
        investor_id NVARCHAR(100) NULL,
        investor_instrument_name NVARCHAR(100) NULL,
        constraint_name NVARCHAR(100) NULL,
        constraint_priority BIGINT NULL,
        loan_id NVARCHAR(100) NULL,
        trade_id NVARCHAR(100) NULL,
        interest_earning_days BIGINT NULL,
        price DECIMAL(19, 8) NULL,
        payup DECIMAL(19, 8) NULL,
        carry_cost DECIMAL(19, 8) NULL,
        prx_plus_carry DECIMAL(19, 8) NULL,
        score DECIMAL(19, 8) NULL,
        CONSTRAINT PK_pfill_loan2trade_candy_level_01 PRIMARY KEY (run_id, turn, candidate_rank)
    );
    PRINT N'[dbo].[pfill_loan2trade_candy_level_01]: made';
END
ELSE
    PRINT N'[dbo].[pfill_loan2trade_candy_level_01]: is there';
GO
IF OBJECT_ID(N'[dbo].[pfill_loan2trade_candy_level_01__staging]') IS NULL
BEGIN
    CREATE TABLE [dbo].[pfill_loan2trade_candy_level_01__staging] (
        row_no BIGINT NOT NULL,
        run_id UNIQUEIDENTIFIER NOT NULL,
        turn BIGINT NULL,
        candidate_rank BIGINT NULL,
        investor_id NVARCHAR(100) NULL,
        investor_instrument_name NVARCHAR(100) NULL,
        constraint_name NVARCHAR(100) NULL,
        constraint_priority BIGINT NULL,
        loan_id NVARCHAR(100) NULL,
        trade_id NVARCHAR(100) NULL,
        interest_earning_days BIGINT NULL,
        price DECIMAL(19, 8) NULL,
        payup DECIMAL(19, 8) NULL,
        carry_cost DECIMAL(19, 8) NULL,
        prx_plus_carry DECIMAL(19, 8) NULL,
        score DECIMAL(19, 8) NULL,
        CONSTRAINT PK_pfill_loan2trade_candy_level_01__staging PRIMARY KEY (row_no)
    );
    PRINT N'[dbo].[pfill_loan2trade_candy_level_01__staging]: made';
END
ELSE
    PRINT N'[dbo].[pfill_loan2trade_candy_level_01__staging]: is there';
GO
IF OBJECT_ID(N'[dbo].[pfill_powerfill_guide]') IS NULL
BEGIN
    CREATE TABLE [dbo].[pfill_powerfill_guide] (
        run_id UNIQUEIDENTIFIER NOT NULL,
        loan_id NVARCHAR(100) NOT NULL,
        trade_id NVARCHAR(100) NULL,
        pool_name NVARCHAR(100) NULL,
        investor_id NVARCHAR(100) NULL,
        investor_instrument_name NVARCHAR(100) NULL,
        constraint_name NVARCHAR(100) NULL,
        constraint_priority BIGINT NULL,
        pass NVARCHAR(100) NULL,
        allocation_seq BIGINT NULL,
        held_reason NVARCHAR(100) NULL,
        loan_amount DECIMAL(19, 2) NULL,
        price DECIMAL(19, 8) NULL,
        payup DECIMAL(19, 8) NULL,
        carry_cost DECIMAL(19, 8) NULL,
        prx_plus_carry DECIMAL(19, 8) NULL,
        score DECIMAL(19, 8) NULL,
        settlement_date DATE NULL,
        prior_pool_name NVARCHAR(100) NULL,
        prior_trade_id NVARCHAR(100) NULL,
        pool_action NVARCHAR(100) NULL,
        CONSTRAINT PK_pfill_powerfill_guide PRIMARY KEY (run_id, loan_id)
    );
    PRINT N'[dbo].[pfill_powerfill_guide]: made';
END
ELSE
    PRINT N'[dbo].[pfill_powerfill_guide]: is there';
GO
IF OBJECT_ID(N'[dbo].[pfill_powerfill_guide__staging]') IS NULL
BEGIN
    CREATE TABLE [dbo].[pfill_powerfill_guide__staging] (
        row_no BIGINT NOT NULL,
        run_id UNIQUEIDENTIFIER NOT NULL,
        loan_id NVARCHAR(100) NULL,
        trade_id NVARCHAR(100) NULL,
        pool_name NVARCHAR(100) NULL,
        investor_id NVARCHAR(100) NULL,
        investor_instrument_name NVARCHAR(100) NULL,
        constraint_name NVARCHAR(100) NULL,
        constraint_priority BIGINT NULL,
        pass NVARCHAR(100) NULL,
        allocation_seq BIGINT NULL,
        held_reason NVARCHAR(100) NULL,
        loan_amount DECIMAL(19, 2) NULL,
        price DECIMAL(19, 8) NULL,
        payup DECIMAL(19, 8) NULL,
        carry_cost DECIMAL(19, 8) NULL,
        prx_plus_carry DECIMAL(19, 8) NULL,
        score DECIMAL(19, 8) NULL,
        settlement_date DATE NULL,
        prior_pool_name NVARCHAR(100) NULL,
        prior_trade_id NVARCHAR(100) NULL,
        pool_action NVARCHAR(100) NULL,
        CONSTRAINT PK_pfill_powerfill_guide__staging PRIMARY KEY (row_no)
    );
    PRINT N'[dbo].[pfill_powerfill_guide__staging]: made';
END
ELSE
    PRINT N'[dbo].[pfill_powerfill_guide__staging]: is there';
GO
IF OBJECT_ID(N'[dbo].[pfill_pool_guide]') IS NULL
BEGIN
    CREATE TABLE [dbo].[pfill_pool_guide] (
        run_id UNIQUEIDENTIFIER NOT NULL,
        trade_id NVARCHAR(100) NULL,
        loan_id NVARCHAR(100) NOT NULL,
        pool_action NVARCHAR(100) NOT NULL,
        pa_key BIGINT NULL,
        settlement_date DATE NULL,
        pool_name NVARCHAR(100) NULL,
        from_pool_name NVARCHAR(100) NULL,
        to_pool_name NVARCHAR(100) NULL,
        loan_amount DECIMAL(19, 2) NULL,
        price DECIMAL(19, 8) NULL,
        CONSTRAINT UQ_pfill_pool_guide UNIQUE (run_id, trade_id, loan_id, pool_action, settlement_date)
    );
    PRINT N'[dbo].[pfill_pool_guide]: made';
END
ELSE
    PRINT N'[dbo].[pfill_pool_guide]: is there';
GO
IF OBJECT_ID(N'[dbo].[pfill_pool_guide__staging]') IS NULL
BEGIN
    CREATE TABLE [dbo].[pfill_pool_guide__staging] (
        row_no BIGINT NOT NULL,
        run_id UNIQUEIDENTIFIER NOT NULL,
        trade_id NVARCHAR(100) NULL,
        loan_id NVARCHAR(100) NULL,
        pool_action NVARCHAR(100) NULL,
        pa_key BIGINT NULL,
        settlement_date DATE NULL,
        pool_name NVARCHAR(100) NULL,
        from_pool_name NVARCHAR(100) NULL,
        to_pool_name NVARCHAR(100) NULL,
        loan_amount DECIMAL(19, 2) NULL,
        price DECIMAL(19, 8) NULL,
        CONSTRAINT PK_pfill_pool_guide__staging PRIMARY KEY (row_no)
    );
    PRINT N'[dbo].[pfill_pool_guide__staging]: made';
END
ELSE
    PRINT N'[dbo].[pfill_pool_guide__staging]: is there';
GO
IF OBJECT_ID(N'[dbo].[pfill_kickout_guide_01]') IS NULL
BEGIN
    CREATE TABLE [dbo].[pfill_kickout_guide_01] (
        run_id UNIQUEIDENTIFIER NOT NULL,
        loan_id NVARCHAR(100) NOT NULL,
        reason NVARCHAR(100) NULL,
        constraints_matched BIGINT NULL,
        candidates BIGINT NULL,
        best_trade_id NVARCHAR(100) NULL,
        best_score DECIMAL(19, 8) NULL,
        pool_name NVARCHAR(100) NULL,
        loan_amount DECIMAL(19, 2) NULL,
        CONSTRAINT PK_pfill_kickout_guide_01 PRIMARY KEY (run_id, loan_id)
    );
    PRINT N'[dbo].[pfill_kickout_guide_01]: made';
END
ELSE
    PRINT N'[dbo].[pfill_kickout_guide_01]: is there';
GO
IF OBJECT_ID(N'[dbo].[pfill_kickout_guide_01__staging]') IS NULL
BEGIN
    CREATE TABLE [dbo].[pfill_kickout_guide_01__staging] (
        row_no BIGINT NOT NULL,
        run_id UNIQUEIDENTIFIER NOT NULL,
        loan_id NVARCHAR(100) NULL,
        reason NVARCHAR(100) NULL,
        constraints_matched BIGINT NULL,
        candidates BIGINT NULL,
        best_trade_id NVARCHAR(100) NULL,
        best_score DECIMAL(19, 8) NULL,
        pool_name NVARCHAR(100) NULL,
        loan_amount DECIMAL(19, 2) NULL,
        CONSTRAINT PK_pfill_kickout_guide_01__staging PRIMARY KEY (row_no)
    );
    PRINT N'[dbo].[pfill_kickout_guide_01__staging]: made';
END
ELSE
    PRINT N'[dbo].[pfill_kickout_guide_01__staging]: is there';
GO
IF OBJECT_ID(N'[dbo].[pfill_trade_recap]') IS NULL
BEGIN
    CREATE TABLE [dbo].[pfill_trade_recap] (
        run_id UNIQUEIDENTIFIER NOT NULL,
        trade_id NVARCHAR(100) NOT NULL,
        open_amount DECIMAL(19, 2) NULL,
        min_amount DECIMAL(19, 2) NULL,
        max_amount DECIMAL(19, 2) NULL,
        filled_amount DECIMAL(19, 2) NULL,
        loan_count BIGINT NULL,
        fill_status NVARCHAR(100) NULL,
        shortfall_amount DECIMAL(19, 2) NULL,
        wavg_price DECIMAL(38, 8) NULL,
        wavg_note_rate DECIMAL(38, 6) NULL,
        wavg_fico DECIMAL(38, 6) NULL,
        wavg_ltv DECIMAL(38, 6) NULL,
        CONSTRAINT PK_pfill_trade_recap PRIMARY KEY (run_id, trade_id)
    );
    PRINT N'[dbo].[pfill_trade_recap]: made';
END
ELSE
    PRINT N'[dbo].[pfill_trade_recap]: is there';
GO
IF OBJECT_ID(N'[dbo].[pfill_trade_recap__staging]') IS NULL
BEGIN
    CREATE TABLE [dbo].[pfill_trade_recap__staging] (
        row_no BIGINT NOT NULL,
        run_id UNIQUEIDENTIFIER NOT NULL,
        trade_id NVARCHAR(100) NULL,
        open_amount DECIMAL(19, 2) NULL,
        min_amount DECIMAL(19, 2) NULL,
        max_amount DECIMAL(19, 2) NULL,
        filled_amount DECIMAL(19, 2) NULL,
        loan_count BIGINT NULL,
        fill_status NVARCHAR(100) NULL,
        shortfall_amount DECIMAL(19, 2) NULL,
        wavg_price DECIMAL(38, 8) NULL,
        wavg_note_rate DECIMAL(38, 6) NULL,
        wavg_fico DECIMAL(38, 6) NULL,
        wavg_ltv DECIMAL(38, 6) NULL,
        CONSTRAINT PK_pfill_trade_recap__staging PRIMARY KEY (row_no)
    );
    PRINT N'[dbo].[pfill_trade_recap__staging]: made';
END
ELSE
    PRINT N'[dbo].[pfill_trade_recap__staging]: is there';
GO
IF OBJECT_ID(N'[dbo].[pfill_loan_constraint_pool]') IS NULL
BEGIN
    CREATE TABLE [dbo].[pfill_loan_constraint_pool] (
        run_id UNIQUEIDENTIFIER NOT NULL,
        investor_id NVARCHAR(100) NOT NULL,
        investor_instrument_name NVARCHAR(100) NOT NULL,
        constraint_name NVARCHAR(100) NOT NULL,
        trade_id NVARCHAR(100) NOT NULL,
        lo_amount DECIMAL(19, 2) NULL,
        hi_amount DECIMAL(19, 2) NULL,
        used_amount DECIMAL(19, 2) NULL,
        used_share DECIMAL(19, 6) NULL,
        lo_met NVARCHAR(100) NULL,
        CONSTRAINT PK_pfill_loan_constraint_pool PRIMARY KEY (run_id, investor_id, investor_instrument_name, constraint_name, trade_id)
    );
    PRINT N'[dbo].[pfill_loan_constraint_pool]: made';
END
ELSE
    PRINT N'[dbo].[pfill_loan_constraint_pool]: is there';
GO
IF OBJECT_ID(N'[dbo].[pfill_loan_constraint_pool__staging]') IS NULL
BEGIN
    CREATE TABLE [dbo].[pfill_loan_constraint_pool__staging] (
        row_no BIGINT NOT NULL,
        run_id UNIQUEIDENTIFIER NOT NULL,
        investor_id NVARCHAR(100) NULL,
        investor_instrument_name NVARCHAR(100) NULL,
        constraint_name NVARCHAR(100) NULL,
        trade_id NVARCHAR(100) NULL,
        lo_amount DECIMAL(19, 2) NULL,
        hi_amount DECIMAL(19, 2) NULL,
        used_amount DECIMAL(19, 2) NULL,
        used_share DECIMAL(19, 6) NULL,
        lo_met NVARCHAR(100) NULL,
        CONSTRAINT PK_pfill_loan_constraint_pool__staging PRIMARY KEY (row_no)
    );
    PRINT N'[dbo].[pfill_loan_constraint_pool__staging]: made';
END
ELSE
    PRINT N'[dbo].[pfill_loan_constraint_pool__staging]: is there';
GO
IF OBJECT_ID(N'[dbo].[pfill_syn_trade_base]') IS NULL
BEGIN
    CREATE TABLE [dbo].[pfill_syn_trade_base] (
        run_id UNIQUEIDENTIFIER NOT NULL,
        syn_trade_id NVARCHAR(200) NULL,
        investor_id NVARCHAR(100) NULL,
        investor_instrument_name NVARCHAR(100) NOT NULL,
        kind NVARCHAR(100) NULL,
        settlement_date DATE NOT NULL,
        note_rate DECIMAL(19, 6) NOT NULL,
        price DECIMAL(19, 8) NULL,
        trade_id_origin NVARCHAR(100) NULL,
        CONSTRAINT PK_pfill_syn_trade_base PRIMARY KEY (run_id, investor_instrument_name, settlement_date, note_rate)
    );
    PRINT N'[dbo].[pfill_syn_trade_base]: made';
END
ELSE
    PRINT N'[dbo].[pfill_syn_trade_base]: is there';
GO
IF OBJECT_ID(N'[dbo].[pfill_syn_trade_base__staging]') IS NULL
BEGIN
    CREATE TABLE [dbo].[pfill_syn_trade_base__staging] (
        row_no BIGINT NOT NULL,
        run_id UNIQUEIDENTIFIER NOT NULL,
        syn_trade_id NVARCHAR(200) NULL,
        investor_id NVARCHAR(100) NULL,
        investor_instrument_name NVARCHAR(100) NULL,
        kind NVARCHAR(100) NULL,
        settlement_date DATE NULL,
        note_rate DECIMAL(19, 6) NULL,
        price DECIMAL(19, 8) NULL,
        trade_id_origin NVARCHAR(100) NULL,
        CONSTRAINT PK_pfill_syn_trade_base__staging PRIMARY KEY (row_no)
    );
    PRINT N'[dbo].[pfill_syn_trade_base__staging]: made';
END
ELSE
    PRINT N'[dbo].[pfill_syn_trade_base__staging]: is there';
GO
IF OBJECT_ID(N'[dbo].[pfill_syn_powerfill_guide_all_rank]') IS NULL
BEGIN
    CREATE TABLE [dbo].[pfill_syn_powerfill_guide_all_rank] (
        run_id UNIQUEIDENTIFIER NOT NULL,
        loan_id NVARCHAR(100) NOT NULL,
        syn_trade_id NVARCHAR(200) NOT NULL,
        investor_instrument_name NVARCHAR(100) NULL,
        settlement_date DATE NULL,
        interest_earning_days BIGINT NULL,
        price DECIMAL(19, 8) NULL,
        payup DECIMAL(19, 8) NULL,
        carry_cost DECIMAL(19, 8) NULL,
        prx_plus_carry DECIMAL(19, 8) NULL,
        rank_po BIGINT NULL,
        rank_pc BIGINT NULL,
        trade_id_origin NVARCHAR(100) NULL,
        CONSTRAINT PK_pfill_syn_powerfill_guide_all_rank PRIMARY KEY (run_id, loan_id, syn_trade_id)
    );
    PRINT N'[dbo].[pfill_syn_powerfill_guide_all_rank]: made';
END
ELSE
    PRINT N'[dbo].[pfill_syn_powerfill_guide_all_rank]: is there';
GO
IF OBJECT_ID(N'[dbo].[pfill_syn_powerfill_guide_all_rank__staging]') IS NULL
BEGIN
    CREATE TABLE [dbo].[pfill_syn_powerfill_guide_all_rank__staging] (
        row_no BIGINT NOT NULL,
        run_id UNIQUEIDENTIFIER NOT NULL,
        loan_id NVARCHAR(100) NULL,
        syn_trade_id NVARCHAR(200) NULL,
        investor_instrument_name NVARCHAR(100) NULL,
        settlement_date DATE NULL,
        interest_earning_days BIGINT NULL,
        price DECIMAL(19, 8) NULL,
        payup DECIMAL(19, 8) NULL,
        carry_cost DECIMAL(19, 8) NULL,
        prx_plus_carry DECIMAL(19, 8) NULL,
        rank_po BIGINT NULL,
        rank_pc BIGINT NULL,
        trade_id_origin NVARCHAR(100) NULL,
        CONSTRAINT PK_pfill_syn_powerfill_guide_all_rank__staging PRIMARY KEY (row_no)
    );
    PRINT N'[dbo].[pfill_syn_powerfill_guide_all_rank__staging]: made';
END
ELSE
    PRINT N'[dbo].[pfill_syn_powerfill_guide_all_rank__staging]: is there';
GO
IF OBJECT_ID(N'[dbo].[pfill_syn_powerfill_guide]') IS NULL
BEGIN
    CREATE TABLE [dbo].[pfill_syn_powerfill_guide] (
        run_id UNIQUEIDENTIFIER NOT NULL,
        loan_id NVARCHAR(100) NOT NULL,
        syn_trade_id NVARCHAR(200) NULL,
        investor_instrument_name NVARCHAR(100) NULL,
        settlement_date DATE NULL,
        interest_earning_days BIGINT NULL,
        price DECIMAL(19, 8) NULL,
        payup DECIMAL(19, 8) NULL,
        carry_cost DECIMAL(19, 8) NULL,
        prx_plus_carry DECIMAL(19, 8) NULL,
        rank_po BIGINT NULL,
        rank_pc BIGINT NULL,
        trade_id_origin NVARCHAR(100) NULL,
        allocated_trade_id NVARCHAR(100) NULL,
        allocated_score DECIMAL(19, 8) NULL,
        give_up DECIMAL(19, 8) NULL,
        CONSTRAINT PK_pfill_syn_powerfill_guide PRIMARY KEY (run_id, loan_id)
    );
    PRINT N'[dbo].[pfill_syn_powerfill_guide]: made';
END
ELSE
    PRINT N'[dbo].[pfill_syn_powerfill_guide]: is there';
GO
IF OBJECT_ID(N'[dbo].[pfill_syn_powerfill_guide__staging]') IS NULL
BEGIN
    CREATE TABLE [dbo].[pfill_syn_powerfill_guide__staging] (
        row_no BIGINT NOT NULL,
        run_id UNIQUEIDENTIFIER NOT NULL,
        loan_id NVARCHAR(100) NULL,
        syn_trade_id NVARCHAR(200) NULL,
        investor_instrument_name NVARCHAR(100) NULL,
        settlement_date DATE NULL,
        interest_earning_days BIGINT NULL,
        price DECIMAL(19, 8) NULL,
        payup DECIMAL(19, 8) NULL,
        carry_cost DECIMAL(19, 8) NULL,
        prx_plus_carry DECIMAL(19, 8) NULL,
        rank_po BIGINT NULL,
        rank_pc BIGINT NULL,
        trade_id_origin NVARCHAR(100) NULL,
        allocated_trade_id NVARCHAR(100) NULL,
        allocated_score DECIMAL(19, 8) NULL,
        give_up DECIMAL(19, 8) NULL,
        CONSTRAINT PK_pfill_syn_powerfill_guide__staging PRIMARY KEY (row_no)
    );
    PRINT N'[dbo].[pfill_syn_powerfill_guide__staging]: made';
END
ELSE
    PRINT N'[dbo].[pfill_syn_powerfill_guide__staging]: is there';
GO
IF OBJECT_ID(N'[dbo].[pfill_cash_market_map]') IS NULL
BEGIN
    CREATE TABLE [dbo].[pfill_cash_market_map] (
        run_id UNIQUEIDENTIFIER NOT NULL,
        loan_id NVARCHAR(100) NOT NULL,
        investor_instrument_name NVARCHAR(100) NULL,
        settlement_date DATE NULL,
        price DECIMAL(19, 8) NULL,
        payup DECIMAL(19, 8) NULL,
        carry_cost DECIMAL(19, 8) NULL,
        prx_plus_carry DECIMAL(19, 8) NULL,
        CONSTRAINT PK_pfill_cash_market_map PRIMARY KEY (run_id, loan_id)
    );
    PRINT N'[dbo].[pfill_cash_market_map]: made';
END
ELSE
    PRINT N'[dbo].[pfill_cash_market_map]: is there';
GO
IF OBJECT_ID(N'[dbo].[pfill_cash_market_map__staging]') IS NULL
BEGIN
    CREATE TABLE [dbo].[pfill_cash_market_map__staging] (
        row_no BIGINT NOT NULL,
        run_id UNIQUEIDENTIFIER NOT NULL,
        loan_id NVARCHAR(100) NULL,
        investor_instrument_name NVARCHAR(100) NULL,
        settlement_date DATE NULL,
        price DECIMAL(19, 8) NULL,
        payup DECIMAL(19, 8) NULL,
        carry_cost DECIMAL(19, 8) NULL,
        prx_plus_carry DECIMAL(19, 8) NULL,
        CONSTRAINT PK_pfill_cash_market_map__staging PRIMARY KEY (row_no)
    );
    PRINT N'[dbo].[pfill_cash_market_map__staging]: made';
END
ELSE
    PRINT N'[dbo].[pfill_cash_market_map__staging]: is there';
GO
IF OBJECT_ID(N'[dbo].[pfill_value_summary]') IS NULL
BEGIN
    CREATE TABLE [dbo].[pfill_value_summary] (
        run_id UNIQUEIDENTIFIER NOT NULL,
        position BIGINT NULL,
        grouping NVARCHAR(100) NOT NULL,
        group_name NVARCHAR(100) NOT NULL,
        loans BIGINT NULL,
        unpriced_loans BIGINT NULL,
        loan_amount DECIMAL(19, 2) NULL,
        proceeds_amount DECIMAL(19, 2) NULL,
        wavg_price DECIMAL(38, 8) NULL,
        payup_amount DECIMAL(19, 2) NULL,
        carry_amount DECIMAL(19, 2) NULL,
        value_amount DECIMAL(19, 2) NULL,
        pick_up_loans BIGINT NULL,
        pick_up_amount DECIMAL(19, 2) NULL,
        give_up_loans BIGINT NULL,
        give_up_amount DECIMAL(19, 2) NULL,
        synthetic_loans BIGINT NULL,
        synthetic_amount DECIMAL(19, 2) NULL,
        shortfall_amount DECIMAL(19, 2) NULL,
        shortfall_value_amount DECIMAL(19, 2) NULL,
        fill_loans BIGINT NULL,
        fill_amount DECIMAL(19, 2) NULL,
        CONSTRAINT PK_pfill_value_summary PRIMARY KEY (run_id, grouping, group_name)
    );
    PRINT N'[dbo].[pfill_value_summary]: made';
END
ELSE
    PRINT N'[dbo].[pfill_value_summary]: is there';
GO
IF OBJECT_ID(N'[dbo].[pfill_value_summary__staging]') IS NULL
BEGIN
    CREATE TABLE [dbo].[pfill_value_summary__staging] (
        row_no BIGINT NOT NULL,
        run_id UNIQUEIDENTIFIER NOT NULL,
        position BIGINT NULL,
        grouping NVARCHAR(100) NULL,
        group_name NVARCHAR(100) NULL,
        loans BIGINT NULL,
        unpriced_loans BIGINT NULL,
        loan_amount DECIMAL(19, 2) NULL,
        proceeds_amount DECIMAL(19, 2) NULL,
        wavg_price DECIMAL(38, 8) NULL,
        payup_amount DECIMAL(19, 2) NULL,
        carry_amount DECIMAL(19, 2) NULL,
        value_amount DECIMAL(19, 2) NULL,
        pick_up_loans BIGINT NULL,
        pick_up_amount DECIMAL(19, 2) NULL,
        give_up_loans BIGINT NULL,
        give_up_amount DECIMAL(19, 2) NULL,
        synthetic_loans BIGINT NULL,
        synthetic_amount DECIMAL(19, 2) NULL,
        shortfall_amount DECIMAL(19, 2) NULL,
        shortfall_value_amount DECIMAL(19, 2) NULL,
        fill_loans BIGINT NULL,
        fill_amount DECIMAL(19, 2) NULL,
        CONSTRAINT PK_pfill_value_summary__staging PRIMARY KEY (row_no)
    );
    PRINT N'[dbo].[pfill_value_summary__staging]: made';
END
ELSE
    PRINT N'[dbo].[pfill_value_summary__staging]: is there';
GO
IF OBJECT_ID(N'[dbo].[pfill_powerfill_log]') IS NULL
BEGIN
    CREATE TABLE [dbo].[pfill_powerfill_log] (
        run_id UNIQUEIDENTIFIER NOT NULL,
        seq BIGINT NOT NULL,
        step NVARCHAR(100) NULL,
        message NVARCHAR(MAX) NULL,
        row_count BIGINT NULL,
        CONSTRAINT PK_pfill_powerfill_log PRIMARY KEY (run_id, seq)
    );
    PRINT N'[dbo].[pfill_powerfill_log]: made';
END
ELSE
    PRINT N'[dbo].[pfill_powerfill_log]: is there';
GO
IF OBJECT_ID(N'[dbo].[pfill_powerfill_log__staging]') IS NULL
BEGIN
    CREATE TABLE [dbo].[pfill_powerfill_log__staging] (
        row_no BIGINT NOT NULL,
        run_id UNIQUEIDENTIFIER NOT NULL,
        seq BIGINT NULL,
        step NVARCHAR(100) NULL,
        message NVARCHAR(MAX) NULL,
        row_count BIGINT NULL,
        CONSTRAINT PK_pfill_powerfill_log__staging PRIMARY KEY (row_no)
    );
    PRINT N'[dbo].[pfill_powerfill_log__staging]: made';
END
ELSE
    PRINT N'[dbo].[pfill_powerfill_log__staging]: is there';
GO
IF OBJECT_ID(N'[dbo].[pfill_run_history]') IS NULL
BEGIN
    CREATE TABLE [dbo].[pfill_run_history] (
        run_id UNIQUEIDENTIFIER NOT NULL,
        tenant_id NVARCHAR(100) NULL,
        status NVARCHAR(100) NULL,
        options NVARCHAR(MAX) NULL,
        requested_by NVARCHAR(MAX) NULL,
        requested_at DATETIME2(6) NULL,
        started_at DATETIME2(6) NULL,
        ended_at DATETIME2(6) NULL,
        failure_step NVARCHAR(100) NULL,
        failure_message NVARCHAR(MAX) NULL,
        input_digest NVARCHAR(100) NULL,
        output_digest NVARCHAR(100) NULL,
        counts NVARCHAR(MAX) NULL,
        CONSTRAINT PK_pfill_run_history PRIMARY KEY (run_id)
    );
    PRINT N'[dbo].[pfill_run_history]: made';
END
ELSE
    PRINT N'[dbo].[pfill_run_history]: is there';
GO
IF OBJECT_ID(N'[dbo].[pfill_run_history__staging]') IS NULL
BEGIN
    CREATE TABLE [dbo].[pfill_run_history__staging] (
        row_no BIGINT NOT NULL,
        run_id UNIQUEIDENTIFIER NOT NULL,
        tenant_id NVARCHAR(100) NULL,
        status NVARCHAR(100) NULL,
        options NVARCHAR(MAX) NULL,
        requested_by NVARCHAR(MAX) NULL,
        requested_at DATETIME2(6) NULL,
        started_at DATETIME2(6) NULL,
        ended_at DATETIME2(6) NULL,
        failure_step NVARCHAR(100) NULL,
        failure_message NVARCHAR(MAX) NULL,
        input_digest NVARCHAR(100) NULL,
        output_digest NVARCHAR(100) NULL,
        counts NVARCHAR(MAX) NULL,
        CONSTRAINT PK_pfill_run_history__staging PRIMARY KEY (row_no)
    );
    PRINT N'[dbo].[pfill_run_history__staging]: made';
END
ELSE
    PRINT N'[dbo].[pfill_run_history__staging]: is there';
GO
IF OBJECT_ID(N'[dbo].[pfill_publication]') IS NULL
BEGIN
    CREATE TABLE [dbo].[pfill_publication] (
        tenant_id NVARCHAR(100) NOT NULL,
        run_id UNIQUEIDENTIFIER NOT NULL,
        position BIGINT NOT NULL,
        output_digest NVARCHAR(64) NOT NULL,
        published_at DATETIME2(6) NOT NULL,
        CONSTRAINT PK_pfill_publication PRIMARY KEY (tenant_id)
    );
    PRINT N'[dbo].[pfill_publication]: made';
END
ELSE
    PRINT N'[dbo].[pfill_publication]: is there';
GO
