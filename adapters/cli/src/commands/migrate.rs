//! `migrate`: creates a store, or brings it to the present schema. Run twice, it changes nothing.

use crate::args::StoreArgs;
use crate::failure::Failure;
use crate::output::say;
use crate::places::StoreUrl;
use crate::settings::Settings;

pub(crate) async fn run(args: &StoreArgs, settings: &Settings) -> Result<(), Failure> {
    let url = StoreUrl::resolve(args.store.as_ref(), settings)?;
    url.open().await?;
    say(format!("{url} has the present schema\n"))
}
