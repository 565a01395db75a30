//! The program `powerfill`. Its code is a library: cargo compiles a library beside those that it
//! uses, and a program only after them.

/// Events are decoded on some threads and dropped on another, where the C library's allocator takes
/// locks (decision 29).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    powerfill_cli::main()
}
