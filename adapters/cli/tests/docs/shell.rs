//! The session of a document: one bash runs all its commands. `127.0.0.1:7878` and
//! `127.0.0.1:4222` are replaced by free ports; `tests` and `docs` are those of the repository.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::{Databases, lines_match, steps, top};

/// A bash in a folder, ended with all its background processes when it is dropped.
struct Bash {
    process: Child,
    commands: ChildStdin,
    out: BufReader<ChildStdout>,
}

impl Drop for Bash {
    fn drop(&mut self) {
        // The processes that it started are in its process group.
        let group = format!("-{}", self.process.id());
        let _ = Command::new("kill").args(["-TERM", "--", &group]).status();
        let _ = self.process.wait();
    }
}

impl Bash {
    fn start(folder: &Path) -> Self {
        use std::os::unix::process::CommandExt;
        let binary = Path::new(env!("CARGO_BIN_EXE_powerfill")).parent().expect("a folder");
        let path = std::env::var("PATH").expect("a PATH");
        // tests/run.sh puts nats-server and duckdb there.
        let nats = top().join("target/nats/usr/sbin");
        let duckdb = top().join("target/duckdb/bin");
        let mut process = Command::new("bash")
            .args(["--noprofile", "--norc"])
            .current_dir(folder)
            .env(
                "PATH",
                format!("{}:{path}:{}:{}", binary.display(), nats.display(), duckdb.display()),
            )
            .env("POWERFILL_REQUESTED_BY", "desk")
            .env_remove("COLUMNS")
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(folder.join("errors")).expect("a file"))
            .spawn()
            .expect("bash starts");
        let commands = process.stdin.take().expect("it is piped");
        let out = BufReader::new(process.stdout.take().expect("it is piped"));
        Self { process, commands, out }
    }

    /// Runs a command. Returns its lines and its exit status.
    fn run(&mut self, command: &str) -> (Vec<String>, String) {
        const END: &str = "--- the command has ended: ";
        writeln!(self.commands, "{command}\nprintf '\\n{END}%s\\n' $?").expect("bash reads");
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            let read = self.out.read_line(&mut line).expect("bash prints text");
            assert!(read > 0, "{command}: bash has ended, after {lines:?}");
            let line = line.trim_end_matches(['\r', '\n']);
            if let Some(status) = line.strip_prefix(END) {
                // The marker begins with a newline, because the output may end without one.
                while lines.last().is_some_and(String::is_empty) {
                    lines.pop();
                }
                return (lines, status.to_owned());
            }
            lines.push(line.to_owned());
        }
    }
}

/// Runs the session of a document in a folder. Returns the number of commands.
pub(crate) fn run_session(name: &str, folder: &Path) -> usize {
    let document = std::fs::read_to_string(top().join(name)).expect("a document");
    for part in ["tests", "docs"] {
        if !folder.join(part).exists() {
            std::os::unix::fs::symlink(top().join(part), folder.join(part)).expect("a link");
        }
    }
    let free_address =
        || TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let ports = ["127.0.0.1:7878", "127.0.0.1:4222"]
        .map(|written| (written, free_address().expect("a free port").to_string()));
    let mut databases = Databases::default();
    let mut with_places = |text: &str| {
        let text = databases.replace_urls(text);
        ports.iter().fold(text, |text, (written, free)| text.replace(written, free))
    };
    let with_shown_ports = |text: &str| {
        ports.iter().fold(text.to_owned(), |text, (written, free)| text.replace(free, written))
    };
    let mut bash = Bash::start(folder);
    let steps = steps(&document);
    for step in &steps {
        if let Some(settings) = &step.settings {
            std::fs::write(folder.join("powerfill.toml"), with_places(settings))
                .expect("settings are written");
        }
        let (command, expected) = (&step.command, &step.expected);
        let (lines, status) = bash.run(&with_places(command));
        let errors = || std::fs::read_to_string(folder.join("errors")).unwrap_or_default();
        assert_eq!(status, "0", "{name}: {command}\n{}\n{}", lines.join("\n"), errors());
        let printed: Vec<String> = lines.iter().map(|line| with_shown_ports(line)).collect();
        let printed: Vec<&str> = printed.iter().map(String::as_str).collect();
        assert!(
            lines_match(expected, &printed),
            "{name}: {command} prints\n{}\nthe document says\n{}\n{}",
            printed.join("\n"),
            expected.join("\n"),
            errors()
        );
    }
    steps.len()
}
