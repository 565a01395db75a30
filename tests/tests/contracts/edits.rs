//! `docs/reference/edits.md`: every edit of an input, from the declaration; and its examples, which
//! change the demo book.

use std::fmt::Write;
use std::sync::Arc;

use powerfill_generator::{Scale, generate};
use powerfill_snapshot::edits::{Edit, EditableInput, FORMS};
use powerfill_snapshot::{RunOptions, validate};

use crate::file;

#[test]
fn the_page_of_edits_follows_from_the_declaration() {
    let mut page = "# Edits\n\nGenerated from the declaration in \
        `domain/snapshot/src/edits/forms.rs`; `UPDATE=1 cargo test -p powerfill-tests --test \
        contracts` writes it again.\n\nAn edit is one change of the input of a try, in one line: \
        `powerfill try --set 'EDIT'`. Edits apply in their order. The edited input is validated as \
        any snapshot is. Names compare without regard to case. A name with one of `/ : = \"` is in \
        double quotes, in which a quote is doubled. An empty value is NULL, or the default of the \
        column. [Input tables](inputs.md) and [options](options.md) have the values.\n\nMost shells \
        need single quotes around an edit; PowerShell takes the same quotes \
        ([what differs](../guides/operating.md#use-powershell)).\n\n\
        | edit | example | |\n|---|---|---|\n"
        .to_owned();
    for form in FORMS {
        let code = |text: &str| format!("`{}`", text.replace('|', "\\|"));
        let (edit, example) = (code(form.form), code(form.example));
        writeln!(page, "| {edit} | {example} | {} |", form.description).unwrap();
    }
    file::assert_is("docs/reference/edits.md", &page);
}

#[test]
fn every_example_changes_the_demo_book() {
    let folder = tempfile::tempdir().unwrap();
    let book = folder.path().join("snapshot");
    generate(&Scale::Demo.sizes(), 7, &book).unwrap();
    let snapshot = validate(powerfill_csv::read_folder(&book).unwrap()).unwrap().snapshot;
    let digest = snapshot.digest();
    let base = EditableInput::new(Arc::new(snapshot), RunOptions::default());
    for form in FORMS {
        let edit = Edit::parse(form.example).unwrap();
        let edited = base.apply(&[edit]).unwrap_or_else(|report| panic!("{report}"));
        let is_same = edited.snapshot.digest() == digest && edited.options == *base.options();
        assert!(!is_same, "{} changes nothing", form.example);
    }
}
