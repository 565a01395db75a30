//! The `powerfill` binary from outside, as a desk and its scripts use it (specification 4.2): typed
//! commands, exit statuses, what is printed and written, and what a killed process leaves behind.

mod audit;
mod compare;
mod configuring;
mod conformance;
mod consumers;
mod copying;
mod desk;
mod desktop_app;
mod diff;
mod exits;
mod formats;
#[cfg(target_os = "linux")]
mod full_disk;
#[cfg(unix)]
mod killed;
mod postgres;
#[cfg(unix)]
mod relayed;
mod released;
mod schemathesis;
mod served;
mod served_together;
mod server_killed;
mod settings;
mod snapshots;
mod sqlserver;
mod table;
mod tenants;
mod workbooks;
#[cfg(unix)]
mod workers;
