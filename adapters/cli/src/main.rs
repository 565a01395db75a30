//! The program `powerfill`. Its code is a library: cargo compiles a library beside those that it
//! uses, and a program only after them.

fn main() -> std::process::ExitCode {
    powerfill_cli::main()
}
