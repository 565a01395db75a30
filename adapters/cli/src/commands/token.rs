//! `token`: the bearer tokens of `serve`.

use powerfill_app::{Clock, SystemClock};
use powerfill_http::tokens::{Token, TokenFile};
use serde_json::{Value, json};

use crate::args::TokenCommand;
use crate::error::CliResult;
use crate::format::Format;
use crate::output::{print_csv, print_json, print_table, print_text};
use crate::settings::ProgramSettings;

/// In the working folder, like powerfill.toml.
const FILE: &str = "powerfill-tokens.toml";
const COLUMNS: [&str; 6] = ["id", "tenant", "role", "name", "created_at", "expires_at"];

/// The tokens of this folder.
pub(super) fn file() -> TokenFile {
    TokenFile::new(FILE)
}

pub(crate) fn run(command: &TokenCommand, settings: &ProgramSettings) -> CliResult<()> {
    match command {
        TokenCommand::Create(args) => {
            settings.tenant(&args.tenant)?;
            let now = SystemClock.now();
            let (role, until) = (args.role.into(), now.plus_days(args.expires_in.into()));
            let (token, text) = file().create(&args.tenant, role, &args.name, now, until)?;
            match args.print.format {
                Format::Text => {
                    eprintln!(
                        "note: token {} is valid until {}; it is not printed again",
                        token.id, token.expires_at
                    );
                    print_text(format!("{text}\n"))
                }
                Format::Json => {
                    let mut object = object(&token);
                    object["token"] = text.into();
                    print_json(&object)
                }
                Format::Csv => print_csv(&["id", "token"], [[token.id.as_str(), text.as_str()]]),
            }
        }
        TokenCommand::List(print) => list(&file().all()?, print.format),
        TokenCommand::Revoke(args) => {
            let revoked = file().revoke(&args.id)?;
            print_text(format!(
                "{}, {} of {}, is revoked\n",
                revoked.id, revoked.name, revoked.tenant
            ))
        }
    }
}

fn object(token: &Token) -> Value {
    let [id, tenant, role, name, created_at, expires_at] = row(token);
    json!({
        "id": id, "tenant": tenant, "role": role, "name": name,
        "created_at": created_at, "expires_at": expires_at,
    })
}

fn row(token: &Token) -> [String; 6] {
    let (created_at, expires_at) = (token.created_at.to_string(), token.expires_at.to_string());
    let role = token.role.name().to_owned();
    [token.id.clone(), token.tenant.clone(), role, token.name.clone(), created_at, expires_at]
}

fn list(tokens: &[Token], format: Format) -> CliResult<()> {
    let rows = tokens.iter().map(row);
    match format {
        Format::Text => print_table(&COLUMNS, rows, &[]),
        Format::Json => print_json(&tokens.iter().map(object).collect::<Vec<_>>()),
        Format::Csv => print_csv(&COLUMNS, rows),
    }
}
