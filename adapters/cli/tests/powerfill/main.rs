//! The `powerfill` binary as people and scripts use it (specification 4.2): commands, exit
//! statuses, printed and written output, and what remains of a killed process.

mod audit;
mod book_tables;
mod brief;
mod certificates;
mod challenging;
mod compare;
mod configuring;
mod conformance;
#[cfg(unix)]
mod consumers;
#[cfg(unix)]
mod copying;
mod desktop_app;
mod diff;
mod evidence;
mod exits;
mod explaining;
#[cfg(feature = "parquet")]
mod export;
mod formats;
#[cfg(target_os = "linux")]
mod full_disk;
#[cfg(unix)]
mod killed;
mod large_tables;
mod listing;
mod misuse;
#[cfg(unix)]
mod openapi_generator;
mod openapi_npm;
#[cfg(unix)]
mod openapi_tools;
mod own_book;
mod postgres;
#[cfg(target_os = "linux")]
mod power_loss;
#[cfg(unix)]
mod process;
#[cfg(target_os = "linux")]
mod read_only;
#[cfg(unix)]
mod relayed;
mod released;
mod reporting;
mod reports;
#[cfg(unix)]
mod retention;
mod sandbox;
#[cfg(unix)]
mod schemathesis;
#[cfg(unix)]
mod served;
#[cfg(unix)]
mod served_console;
mod served_together;
#[cfg(unix)]
mod server_killed;
mod settings;
mod snapshots;
mod sqlserver;
mod table;
mod tenants;
mod terminal;
mod tries;
mod workbooks;
#[cfg(unix)]
mod workers;
