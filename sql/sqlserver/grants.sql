-- The least rights: a role that reads the input, and a role that publishes. Neither can change the
-- structure of a table. Generated like outputs.sql; the file can be run again.
--
-- Then add users:
-- CREATE USER pf_desk FOR LOGIN pf_desk; ALTER ROLE powerfill_reader ADD MEMBER pf_desk;
SET NOCOUNT ON; SET XACT_ABORT ON;
GO
IF NOT EXISTS (SELECT 1 FROM sys.database_principals WHERE name = N'powerfill_reader') CREATE ROLE powerfill_reader;
GO
IF NOT EXISTS (SELECT 1 FROM sys.database_principals WHERE name = N'powerfill_publisher') CREATE ROLE powerfill_publisher;
GO
IF OBJECT_ID(N'[dbo].[loan]') IS NOT NULL GRANT SELECT ON [dbo].[loan] TO powerfill_reader;
GO
IF OBJECT_ID(N'[dbo].[loan_columns]') IS NOT NULL GRANT SELECT ON [dbo].[loan_columns] TO powerfill_reader;
GO
IF OBJECT_ID(N'[dbo].[pscat_loan_stages]') IS NOT NULL GRANT SELECT ON [dbo].[pscat_loan_stages] TO powerfill_reader;
GO
IF OBJECT_ID(N'[dbo].[pscat_instruments]') IS NOT NULL GRANT SELECT ON [dbo].[pscat_instruments] TO powerfill_reader;
GO
IF OBJECT_ID(N'[dbo].[pscat_trades]') IS NOT NULL GRANT SELECT ON [dbo].[pscat_trades] TO powerfill_reader;
GO
IF OBJECT_ID(N'[dbo].[pscat_pools]') IS NOT NULL GRANT SELECT ON [dbo].[pscat_pools] TO powerfill_reader;
GO
IF OBJECT_ID(N'[dbo].[pscat_trades_pools_relation]') IS NOT NULL GRANT SELECT ON [dbo].[pscat_trades_pools_relation] TO powerfill_reader;
GO
IF OBJECT_ID(N'[dbo].[pscat_securitization_rules]') IS NOT NULL GRANT SELECT ON [dbo].[pscat_securitization_rules] TO powerfill_reader;
GO
IF OBJECT_ID(N'[dbo].[rmcat_todays_prices]') IS NOT NULL GRANT SELECT ON [dbo].[rmcat_todays_prices] TO powerfill_reader;
GO
IF OBJECT_ID(N'[dbo].[rmusr_payups]') IS NOT NULL GRANT SELECT ON [dbo].[rmusr_payups] TO powerfill_reader;
GO
IF OBJECT_ID(N'[dbo].[loan_price]') IS NOT NULL GRANT SELECT ON [dbo].[loan_price] TO powerfill_reader;
GO
IF OBJECT_ID(N'[dbo].[pfill_constraints]') IS NOT NULL GRANT SELECT ON [dbo].[pfill_constraints] TO powerfill_reader;
GO
IF OBJECT_ID(N'[dbo].[pfill_constraint_sec_rule_rel]') IS NOT NULL GRANT SELECT ON [dbo].[pfill_constraint_sec_rule_rel] TO powerfill_reader;
GO
IF OBJECT_ID(N'[dbo].[pfill_carry_cost]') IS NOT NULL GRANT SELECT ON [dbo].[pfill_carry_cost] TO powerfill_reader;
GO
IF OBJECT_ID(N'[dbo].[pfill_lockdown_guide]') IS NOT NULL GRANT SELECT ON [dbo].[pfill_lockdown_guide] TO powerfill_reader;
GO
IF OBJECT_ID(N'[dbo].[pfill_preflight_settings]') IS NOT NULL GRANT SELECT ON [dbo].[pfill_preflight_settings] TO powerfill_reader;
GO
IF OBJECT_ID(N'[dbo].[snapshot]') IS NOT NULL GRANT SELECT ON [dbo].[snapshot] TO powerfill_reader;
GO
IF OBJECT_ID(N'[dbo].[pfill_preflight_findings]') IS NOT NULL GRANT SELECT, INSERT, DELETE ON [dbo].[pfill_preflight_findings] TO powerfill_publisher;
GO
IF OBJECT_ID(N'[dbo].[pfill_trade_base]') IS NOT NULL GRANT SELECT, INSERT, DELETE ON [dbo].[pfill_trade_base] TO powerfill_publisher;
GO
IF OBJECT_ID(N'[dbo].[pfill_loan2trade_candy_level_01]') IS NOT NULL GRANT SELECT, INSERT, DELETE ON [dbo].[pfill_loan2trade_candy_level_01] TO powerfill_publisher;
GO
IF OBJECT_ID(N'[dbo].[pfill_powerfill_guide]') IS NOT NULL GRANT SELECT, INSERT, DELETE ON [dbo].[pfill_powerfill_guide] TO powerfill_publisher;
GO
IF OBJECT_ID(N'[dbo].[pfill_pool_guide]') IS NOT NULL GRANT SELECT, INSERT, DELETE ON [dbo].[pfill_pool_guide] TO powerfill_publisher;
GO
IF OBJECT_ID(N'[dbo].[pfill_kickout_guide_01]') IS NOT NULL GRANT SELECT, INSERT, DELETE ON [dbo].[pfill_kickout_guide_01] TO powerfill_publisher;
GO
IF OBJECT_ID(N'[dbo].[pfill_trade_recap]') IS NOT NULL GRANT SELECT, INSERT, DELETE ON [dbo].[pfill_trade_recap] TO powerfill_publisher;
GO
IF OBJECT_ID(N'[dbo].[pfill_loan_constraint_pool]') IS NOT NULL GRANT SELECT, INSERT, DELETE ON [dbo].[pfill_loan_constraint_pool] TO powerfill_publisher;
GO
IF OBJECT_ID(N'[dbo].[pfill_syn_trade_base]') IS NOT NULL GRANT SELECT, INSERT, DELETE ON [dbo].[pfill_syn_trade_base] TO powerfill_publisher;
GO
IF OBJECT_ID(N'[dbo].[pfill_syn_powerfill_guide_all_rank]') IS NOT NULL GRANT SELECT, INSERT, DELETE ON [dbo].[pfill_syn_powerfill_guide_all_rank] TO powerfill_publisher;
GO
IF OBJECT_ID(N'[dbo].[pfill_syn_powerfill_guide]') IS NOT NULL GRANT SELECT, INSERT, DELETE ON [dbo].[pfill_syn_powerfill_guide] TO powerfill_publisher;
GO
IF OBJECT_ID(N'[dbo].[pfill_cash_market_map]') IS NOT NULL GRANT SELECT, INSERT, DELETE ON [dbo].[pfill_cash_market_map] TO powerfill_publisher;
GO
IF OBJECT_ID(N'[dbo].[pfill_value_summary]') IS NOT NULL GRANT SELECT, INSERT, DELETE ON [dbo].[pfill_value_summary] TO powerfill_publisher;
GO
IF OBJECT_ID(N'[dbo].[pfill_powerfill_log]') IS NOT NULL GRANT SELECT, INSERT, DELETE ON [dbo].[pfill_powerfill_log] TO powerfill_publisher;
GO
IF OBJECT_ID(N'[dbo].[pfill_run_history]') IS NOT NULL GRANT SELECT, INSERT, DELETE ON [dbo].[pfill_run_history] TO powerfill_publisher;
GO
IF OBJECT_ID(N'[dbo].[pfill_preflight_findings__staging]') IS NOT NULL GRANT SELECT, INSERT, DELETE ON [dbo].[pfill_preflight_findings__staging] TO powerfill_publisher;
GO
IF OBJECT_ID(N'[dbo].[pfill_trade_base__staging]') IS NOT NULL GRANT SELECT, INSERT, DELETE ON [dbo].[pfill_trade_base__staging] TO powerfill_publisher;
GO
IF OBJECT_ID(N'[dbo].[pfill_loan2trade_candy_level_01__staging]') IS NOT NULL GRANT SELECT, INSERT, DELETE ON [dbo].[pfill_loan2trade_candy_level_01__staging] TO powerfill_publisher;
GO
IF OBJECT_ID(N'[dbo].[pfill_powerfill_guide__staging]') IS NOT NULL GRANT SELECT, INSERT, DELETE ON [dbo].[pfill_powerfill_guide__staging] TO powerfill_publisher;
GO
IF OBJECT_ID(N'[dbo].[pfill_pool_guide__staging]') IS NOT NULL GRANT SELECT, INSERT, DELETE ON [dbo].[pfill_pool_guide__staging] TO powerfill_publisher;
GO
IF OBJECT_ID(N'[dbo].[pfill_kickout_guide_01__staging]') IS NOT NULL GRANT SELECT, INSERT, DELETE ON [dbo].[pfill_kickout_guide_01__staging] TO powerfill_publisher;
GO
IF OBJECT_ID(N'[dbo].[pfill_trade_recap__staging]') IS NOT NULL GRANT SELECT, INSERT, DELETE ON [dbo].[pfill_trade_recap__staging] TO powerfill_publisher;
GO
IF OBJECT_ID(N'[dbo].[pfill_loan_constraint_pool__staging]') IS NOT NULL GRANT SELECT, INSERT, DELETE ON [dbo].[pfill_loan_constraint_pool__staging] TO powerfill_publisher;
GO
IF OBJECT_ID(N'[dbo].[pfill_syn_trade_base__staging]') IS NOT NULL GRANT SELECT, INSERT, DELETE ON [dbo].[pfill_syn_trade_base__staging] TO powerfill_publisher;
GO
IF OBJECT_ID(N'[dbo].[pfill_syn_powerfill_guide_all_rank__staging]') IS NOT NULL GRANT SELECT, INSERT, DELETE ON [dbo].[pfill_syn_powerfill_guide_all_rank__staging] TO powerfill_publisher;
GO
IF OBJECT_ID(N'[dbo].[pfill_syn_powerfill_guide__staging]') IS NOT NULL GRANT SELECT, INSERT, DELETE ON [dbo].[pfill_syn_powerfill_guide__staging] TO powerfill_publisher;
GO
IF OBJECT_ID(N'[dbo].[pfill_cash_market_map__staging]') IS NOT NULL GRANT SELECT, INSERT, DELETE ON [dbo].[pfill_cash_market_map__staging] TO powerfill_publisher;
GO
IF OBJECT_ID(N'[dbo].[pfill_value_summary__staging]') IS NOT NULL GRANT SELECT, INSERT, DELETE ON [dbo].[pfill_value_summary__staging] TO powerfill_publisher;
GO
IF OBJECT_ID(N'[dbo].[pfill_powerfill_log__staging]') IS NOT NULL GRANT SELECT, INSERT, DELETE ON [dbo].[pfill_powerfill_log__staging] TO powerfill_publisher;
GO
IF OBJECT_ID(N'[dbo].[pfill_run_history__staging]') IS NOT NULL GRANT SELECT, INSERT, DELETE ON [dbo].[pfill_run_history__staging] TO powerfill_publisher;
GO
IF OBJECT_ID(N'[dbo].[pfill_publication]') IS NOT NULL GRANT SELECT, INSERT, DELETE ON [dbo].[pfill_publication] TO powerfill_publisher;
GO
