-- An example: views that show a lender's tables under the names that PowerFill reads. The tables
-- after FROM are invented; replace them by your own. PowerFill then reads the schema of the views:
-- mssql://…/Lender?schema=powerfill. docs/guides/sqlserver.md lists the tables and the types.
--
-- Keep views plain: no TOP, no ORDER BY, no FLOAT. A second run of the file replaces each view.
SET ANSI_NULLS ON; SET QUOTED_IDENTIFIER ON; SET NOCOUNT ON; SET XACT_ABORT ON;
GO
IF SCHEMA_ID(N'powerfill') IS NULL EXEC(N'CREATE SCHEMA [powerfill]');
GO
IF OBJECT_ID(N'[powerfill].[loan]') IS NOT NULL DROP VIEW [powerfill].[loan];
GO
-- Amounts and rates stay NUMERIC or MONEY. A numeric key is read as a text. Rules can use additional
-- columns.
CREATE VIEW [powerfill].[loan] AS
SELECT l.LoanNumber AS loan_id,
       l.StatusName AS curr_status,
       l.UnpaidBalance AS loan_amount,
       l.NoteRate AS note_rate,
       CAST(l.FundedAt AS DATE) AS close_date,
       CAST(l.LockExpiresAt AS DATE) AS lock_expiration_date,
       p.PoolNumber AS pool_name,
       l.CreditScore AS fico,
       l.LoanToValue AS ltv,
       l.TermMonths AS term_months,
       l.PropertyState AS state,
       l.ServicerCode AS servicer
FROM [dbo].[LoanPipeline] AS l
LEFT JOIN [dbo].[PoolLoan] AS p ON p.LoanNumber = l.LoanNumber;
GO
IF OBJECT_ID(N'[powerfill].[pscat_loan_stages]') IS NOT NULL DROP VIEW [powerfill].[pscat_loan_stages];
GO
CREATE VIEW [powerfill].[pscat_loan_stages] AS
SELECT StatusName AS stage_name, SortOrder AS stage_rank FROM [dbo].[LoanStatus];
GO
IF OBJECT_ID(N'[powerfill].[pscat_trades]') IS NOT NULL DROP VIEW [powerfill].[pscat_trades];
GO
CREATE VIEW [powerfill].[pscat_trades] AS
SELECT t.TradeNumber AS trade_id,
       t.InstrumentName AS investor_instrument_name,
       CASE t.IsBestExecution WHEN 1 THEN N'bx' ELSE N'forward' END AS trade_type,
       CASE t.StateCode WHEN N'O' THEN N'open' WHEN N'S' THEN N'settled' WHEN N'C' THEN N'cancelled' ELSE N'phantom'
       END AS status,
       CAST(t.SettlesAt AS DATE) AS settlement_date,
       t.FaceAmount AS trade_amount,
       t.TolerancePercent AS tolerance,
       t.Price AS trade_price,
       t.PairedOffAmount AS pair_off_amount
FROM [dbo].[Trade] AS t;
GO
IF OBJECT_ID(N'[powerfill].[pfill_constraints]') IS NOT NULL DROP VIEW [powerfill].[pfill_constraints];
GO
-- A table of the Desktop App, unchanged.
CREATE VIEW [powerfill].[pfill_constraints] AS
SELECT investor_id, investor_instrument_name, constraint_name, constraint_priority, lo_limit, hi_limit
FROM [dbo].[pfill_constraints];
GO
IF OBJECT_ID(N'[powerfill].[snapshot]') IS NOT NULL DROP VIEW [powerfill].[snapshot];
GO
-- One row: the tenant and the day of the book.
CREATE VIEW [powerfill].[snapshot] AS
SELECT N'LENDER' AS tenant_id, CAST(SYSDATETIME() AS DATE) AS as_of, CAST(MAX(g.LoadedAt) AS DATE) AS prices_as_of
FROM [dbo].[PriceGridLoad] AS g;
GO
