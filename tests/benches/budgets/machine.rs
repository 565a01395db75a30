//! The machine on which the numbers were measured.

use std::process::Command;

/// Reads the value of the first line of a file that begins with the name.
fn value_in_file(path: &str, name: &str) -> String {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
    line.split_once(':').map_or("unknown", |(_, value)| value.trim()).to_owned()
}

/// Prints processor, cores, memory, compiler, and load.
pub(crate) fn describe() {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let compiler = Command::new("rustc").arg("--version").output();
    let compiler = compiler.map(|out| String::from_utf8_lossy(&out.stdout).trim().to_owned());
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("* processor: {}, {cores} cores", value_in_file("/proc/cpuinfo", "model name"));
    println!("* memory: {}", value_in_file("/proc/meminfo", "MemTotal"));
    println!("* compiler: {}, release build", compiler.unwrap_or_else(|_| "unknown".to_owned()));
    println!("* load before the start (1, 5, 15 minutes): {load}");
}
