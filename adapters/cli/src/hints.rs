//! Commands that a message suggests. They keep the store and the tenant of the command line, so
//! that they can be copied as they are.

use crate::urls::StoreUrl;

/// The commands that take a store.
const WITH_STORE: [&str; 15] = [
    "annotate", "brief", "cancel", "config", "diff", "explain", "migrate", "rebuild", "relay",
    "restore", "run", "runs", "show", "tables", "verify",
];

/// A message whose suggested commands, `` `powerfill …` ``, have the `--store` and the `--tenant`
/// of this command line.
pub(crate) fn with_store(message: &str) -> String {
    let args: Vec<String> = std::env::args().collect();
    suggest(message, &flags(&args))
}

/// The flags of a command line that say where the store is, with a leading blank; no secrets.
fn flags(args: &[String]) -> String {
    let value = |flag: &str| {
        let mut at =
            args.iter().skip_while(|arg| *arg != flag && !arg.starts_with(&format!("{flag}=")));
        let first = at.next()?;
        let joined = first.strip_prefix(flag)?.strip_prefix('=').map(str::to_owned);
        joined.or_else(|| at.next().cloned())
    };
    let mut flags = String::new();
    if let Some(url) = value("--store").and_then(|url| url.parse::<StoreUrl>().ok()) {
        flags += &format!(" --store {}", quoted(&url.to_string()));
    }
    if let Some(tenant) = value("--tenant") {
        flags += &format!(" --tenant {}", quoted(&tenant));
    }
    flags
}

fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "-_./:@=%,+".contains(c);
    match text.chars().all(is_plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

fn suggest(message: &str, flags: &str) -> String {
    let mut out = String::new();
    let mut rest = message;
    while let Some(at) = rest.find("`powerfill ") {
        let command = &rest[at + 1..];
        let Some(end) = command.find('`') else { break };
        let text = &command[..end];
        let name = text.split(' ').nth(1).unwrap_or_default();
        let takes =
            WITH_STORE.contains(&name) && !text.contains(" --store") && !text.contains(" --tenant");
        out.push_str(&rest[..at + 1 + end]);
        out.push_str(if takes { flags } else { "" });
        out.push('`');
        rest = &command[end + 1..];
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn a_suggested_command_keeps_store_and_tenant() {
        let of = flags(&args("powerfill show x --store sqlite:books.db --tenant ACME"));
        assert_eq!(of, " --store sqlite:books.db --tenant ACME");
        let message = "no run x; `powerfill runs` lists them, `powerfill check S` does not, \
                       `powerfill show 1 --store sqlite:b.db` has one";
        let expected = "no run x; `powerfill runs --store sqlite:books.db --tenant ACME` lists them, \
                        `powerfill check S` does not, `powerfill show 1 --store sqlite:b.db` has one";
        assert_eq!(suggest(message, &of), expected);
        assert_eq!(flags(&args("powerfill runs --store=sqlite:a.db")), " --store sqlite:a.db");
        assert_eq!(flags(&args("powerfill runs")), "");
        assert_eq!(
            suggest("a `powerfill runs without an end", " --store x"),
            "a `powerfill runs without an end"
        );
        let spaced =
            vec!["powerfill".to_owned(), "--store".to_owned(), "sqlite:my books.db".to_owned()];
        assert_eq!(flags(&spaced), " --store 'sqlite:my books.db'");
    }

    #[test]
    fn a_suggested_command_has_no_password() {
        let of = flags(&args("powerfill runs --store postgres://ann:secret@db.example/acme"));
        assert!(!of.contains("secret") && of.contains("db.example"), "{of}");
    }
}
