//! `demo`: generates a sample tenant, runs it, prints the summary, and explains one loan.

use std::sync::Arc;
use std::time::Instant;

use powerfill_events::run::event::RunOrigin;
use powerfill_events::values::TenantId;
use powerfill_generator::{Scale, generate};
use powerfill_http::tokens::TokenFile;
use powerfill_ports::Store;
use powerfill_snapshot::{RunOptions, TableLimit, validate};
use powerfill_tables::status::RunStatus;

use super::challenge::within;
use super::run::{certify, process_name, run_in_foreground, runner};
use super::serve::serve_in_browser;
use crate::args::DemoArgs;
use crate::error::{CliError, CliResult};
use crate::output::print_text;
use crate::settings::{ProgramSettings, TenantSettings};
use crate::summary;
use crate::urls::{SourceUrl, StoreUrl};

pub(crate) async fn run(args: DemoArgs, settings: &ProgramSettings) -> CliResult<()> {
    let folder = &args.folder;
    let snapshot = folder.join("snapshot");
    if !snapshot.join("loan.csv").exists() {
        std::fs::create_dir_all(folder).map_err(|error| {
            CliError::context(format!("cannot create {}", folder.display()), error)
        })?;
        generate(&Scale::Demo.sizes(), args.seed, &snapshot).map_err(CliError::environment)?;
    }
    let started = Instant::now();
    let source = SourceUrl::Folder(snapshot);
    let refused =
        |report| CliError::Faults { what: format!("{source} is refused"), report, all: false };
    let validated =
        validate(source.read_with_notes(None, TableLimit::default()).await?).map_err(refused)?;
    let tenant = TenantId::from(&validated.snapshot.header.tenant_id);
    let store: Arc<dyn Store> = StoreUrl::Sqlite(folder.join("powerfill.db")).open().await?;
    let requested_by = settings.requested_by(None);
    let tables = folder.join("tables");
    let options = RunOptions::default();
    let runner = runner(Arc::clone(&store), process_name())
        .with_large_tables(settings.large_tables)
        .with_certificates(args.certificate.value().unwrap_or(settings.certificate));
    let (tables_folder, origin) = (Some(&*tables), RunOrigin::default());
    let summary =
        run_in_foreground(&runner, validated, &options, &requested_by, tables_folder, origin)
            .await?;
    let took = started.elapsed();
    print_text(summary::text(&summary))?;
    let (took, tables) = (took.as_secs_f64(), tables.display());
    print_text(format!("\nread, run, recorded, and written in {took:.2} s: {tables}\n"))?;
    if summary.status != RunStatus::Complete {
        return Err(CliError::NegativeAnswer);
    }
    if let Some(certificate) = certify(&runner, &summary).await {
        print_text(within(&certificate))?;
    }
    super::explain::explain_sample(store.as_ref(), summary.run_id).await?;
    drop((runner, store));
    let store = folder.join("powerfill.db");
    if args.open {
        print_text("\n")?;
        let store = StoreUrl::Sqlite(store);
        let tokens = TokenFile::new(folder.join("powerfill-tokens.toml"));
        return serve_in_browser(TenantSettings::local(tenant, store, source), tokens).await;
    }
    let store = store.display();
    print_text(format!(
        "\nNext: powerfill explain latest --loan LOAN_ID --store sqlite:{store}\n\
         Or, in the browser: powerfill demo --open\n"
    ))
}
