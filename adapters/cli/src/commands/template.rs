//! `template`: an empty snapshot to fill in, as a workbook or as a folder of CSV files.

use crate::args::TemplateArgs;
use crate::error::{CliError, CliResult};
use crate::output::print_text;
use crate::{out_place, workbook};

pub(crate) fn run(args: &TemplateArgs) -> CliResult<()> {
    let out = &args.out;
    let is_workbook = out_place::is_workbook(out);
    let source = if is_workbook {
        workbook::prepare_new(out)?;
        powerfill_xlsx::write_template(out, args.examples).map_err(CliError::environment)?;
        format!("xlsx:{}", out.display())
    } else {
        powerfill_csv::write_template(out, args.examples).map_err(CliError::environment)?;
        format!("dir:{}", out.display())
    };
    let columns = match is_workbook {
        true => format!("the sheet {}", powerfill_xlsx::COLUMNS_SHEET),
        false => out.join(powerfill_csv::COLUMNS_PAGE).display().to_string(),
    };
    print_text(format!(
        "{} has every table; {columns} lists their columns\n\
         fill it in, then: powerfill check {source}\n",
        out.display()
    ))
}
