//! Settings of the allocator for processes that go on for long (decision 29).

/// What the allocator reads when the process starts: memory that is not needed is returned at once,
/// and there are no pages of 2 MiB.
#[cfg(unix)]
const SETTINGS: [(&str, &str); 2] = [("MIMALLOC_PURGE_DELAY", "0"), ("MIMALLOC_ALLOW_THP", "0")];

/// Begins the program again with the settings of a process that goes on for long, unless the
/// environment has them. If that is not possible, the process goes on without.
#[cfg(unix)]
pub(crate) fn restart_with_settings() {
    use std::os::unix::process::CommandExt;
    let is_absent = |(name, _): &(&str, &str)| std::env::var_os(name).is_none();
    let absent: Vec<_> = SETTINGS.into_iter().filter(is_absent).collect();
    let Ok(program) = std::env::current_exe() else { return };
    if absent.is_empty() {
        return;
    }
    let mut args = std::env::args_os();
    let mut command = std::process::Command::new(program);
    if let Some(name) = args.next() {
        command.arg0(name);
    }
    // The process stays the same one. This returns only if it fails.
    let _ = command.args(args).envs(absent).exec();
}

/// Does nothing: another system cannot begin a program again in the same process.
#[cfg(not(unix))]
pub(crate) fn restart_with_settings() {}
