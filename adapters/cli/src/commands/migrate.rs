//! `migrate`: creates a store, or brings it to the present schema. Run twice, it changes nothing.

use crate::args::StoreArgs;
use crate::failure::Failure;
use crate::output::say;
use crate::settings::Settings;
use crate::tenancy::Place;

pub(crate) async fn run(args: &StoreArgs, settings: &Settings) -> Result<(), Failure> {
    let place = Place::resolve(&args.place, settings)?;
    place.open().await?;
    say(format!("{} has the present schema\n", place.url()))
}
