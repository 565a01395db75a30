//! A mapping, checked against the tables that it can name.

use std::collections::BTreeMap;
use std::ops::Range;

use powerfill_events::input::TableLimit;
use powerfill_events::values::fold;
use powerfill_snapshot::tables::ColumnType;
use rust_decimal::Decimal;

use crate::file;
use crate::formats::CellFormats;
use crate::names::{matches, written};
use crate::schema::{MappingUse, TargetSchema};

/// A mapping file, checked.
#[derive(Debug)]
pub struct Mapping {
    /// The name of the file in messages.
    pub(crate) file: String,
    pub(crate) text: String,
    pub(crate) schema: TargetSchema,
    /// By position in the schema; `None` if the file does not name the table.
    pub(crate) tables: Vec<Option<TableMapping>>,
    pub(crate) formats: CellFormats,
    /// How files and sheets are read, by their names or patterns.
    pub(crate) forms: Vec<(Located<String>, FileForm)>,
    /// How the others are read.
    pub(crate) default_form: FileForm,
    /// How large tables may become.
    pub(crate) limit: TableLimit,
}

/// The mapping of a table.
#[derive(Debug)]
pub struct TableMapping {
    /// The place of the table in the file.
    pub(crate) span: Range<usize>,
    /// The names or patterns of its files and sheets.
    pub(crate) files: Vec<Located<String>>,
    /// Rows that the mapping itself has, as texts by position of the column.
    pub(crate) rows: Vec<MappingRow>,
    /// By position of the column: how its values come about.
    pub(crate) columns: BTreeMap<usize, ColumnMapping>,
    /// Columns that the table does not list, by name.
    pub(crate) more_columns: Vec<(Located<String>, ColumnMapping)>,
    /// Which columns of the files stay under their own names.
    pub(crate) others: OtherColumns,
    /// Only rows for which this is true.
    pub(crate) keep: Option<Located<String>>,
    /// No rows for which this is true.
    pub(crate) leave_out: Option<Located<String>>,
    /// Whether equal rows are one.
    pub(crate) distinct: bool,
    /// The formats of columns without their own.
    pub(crate) formats: CellFormats,
    /// What only a comparison has.
    pub comparison: ComparisonSettings,
    /// The first place of the file that says how other names or values become ours.
    pub(crate) translation: Option<Range<usize>>,
}

/// What a mapping says to a comparison (3.4) beside names, values, and formats.
#[derive(Debug, Default)]
pub struct ComparisonSettings {
    /// Whether the comparison skips the table.
    pub skip: bool,
    /// The positions of the columns that rows pair by, if the file gives them.
    pub key: Option<Vec<usize>>,
    /// The positions of columns that are not compared.
    pub ignore: Vec<usize>,
    /// The greatest difference at which numbers of a column count as the same.
    pub tolerance: BTreeMap<usize, Decimal>,
}

/// How the values of a column come about.
#[derive(Debug, Clone)]
pub(crate) struct ColumnMapping {
    /// The columns of the file, or `{file}` and `{sheet}`; none: the column of the same name.
    pub(crate) from: Vec<Located<String>>,
    /// What joins the values of several columns.
    pub(crate) join: String,
    /// What of the text is taken.
    pub(crate) part: TextPart,
    /// The value of every row, in our formats.
    pub(crate) constant: Option<String>,
    /// The value in place of NULL, in our formats.
    pub(crate) default: Option<String>,
    /// Texts of the file, folded, with ours.
    pub(crate) values: Option<ValueTable>,
    /// What the number is multiplied by.
    pub(crate) times: Option<Decimal>,
    /// The width up to which zeros are put before digits.
    pub(crate) pad: usize,
    pub(crate) formats: CellFormats,
    /// The type of a column that the table does not list.
    pub(crate) declared: Option<ColumnType>,
}

/// What of a text is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TextPart {
    Whole,
    /// The part with this number, from 1, or from the last one by -1, between separators.
    Split(String, i32),
    /// The characters from the first to the last, both from 1.
    Characters(usize, usize),
}

/// Texts of other systems with ours.
#[derive(Debug, Clone, Default)]
pub(crate) struct ValueTable {
    /// By folded text.
    pub(crate) values: BTreeMap<String, String>,
    /// The text of all others; `*` keeps them.
    pub(crate) any: Option<String>,
}

/// A row of the mapping itself.
#[derive(Debug)]
pub(crate) struct MappingRow {
    pub(crate) span: Range<usize>,
    pub(crate) cells: BTreeMap<usize, String>,
}

/// Which columns of a file that nothing maps stay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum OtherColumns {
    None,
    All,
}

/// How a file or a sheet is read. What is absent is detected.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileForm {
    /// The name of the encoding: utf-8, utf-16le, utf-16be, windows-1252, and others.
    pub encoding: Option<String>,
    /// The delimiter.
    pub delimiter: Option<char>,
    /// Where the header is.
    pub header: HeaderPlace,
    /// The row of the first data, from 1.
    pub first_row: Option<u32>,
    /// The names of the columns, in place of a header's.
    pub columns: Option<Vec<String>>,
    /// How the first value of a row of totals begins, folded.
    pub totals: Vec<String>,
    /// How large the table may become.
    pub limit: TableLimit,
}

/// Where the header of a file or a sheet is. Rows count from 1.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum HeaderPlace {
    /// The first row that is not blank.
    #[default]
    First,
    /// The first row that has nearly as many values as any: for a draft.
    Detected,
    /// These rows; the names of several are joined from top to bottom.
    Rows(Vec<u32>),
    /// There is none.
    Absent,
}

/// A value with its place in the file.
#[derive(Debug, Clone)]
pub(crate) struct Located<T> {
    pub(crate) value: T,
    pub(crate) span: Range<usize>,
}

/// A fault of a mapping file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}, line {line}: {what}")]
pub struct MappingError {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong and what to do.
    pub what: String,
}

impl Mapping {
    /// The mapping without a file: all names are the same on both sides, in any case.
    pub fn none(schema: TargetSchema) -> Self {
        Self {
            file: String::new(),
            text: String::new(),
            tables: schema.tables.iter().map(|_| None).collect(),
            formats: CellFormats::of_use(schema.mapping_use),
            schema,
            forms: Vec::new(),
            default_form: FileForm::default(),
            limit: TableLimit::default(),
        }
    }

    /// The mapping, for tables of at most this size.
    #[must_use]
    pub fn within(self, limit: TableLimit) -> Self {
        Self { limit, ..self }
    }

    /// How large tables may become.
    pub fn limit(&self) -> TableLimit {
        self.limit
    }

    /// The mapping that reads the files of a source for a draft.
    pub fn for_draft() -> Self {
        let default_form = FileForm { header: HeaderPlace::Detected, ..FileForm::default() };
        Self { default_form, ..Self::none(TargetSchema::of_inputs()) }
    }

    /// Reads a mapping file. Messages call it `file`.
    ///
    /// # Errors
    /// [`MappingError`]: the text is no TOML, or has an unknown key, table, or column.
    pub fn parse(schema: TargetSchema, file: &str, text: &str) -> Result<Self, MappingError> {
        file::read(schema, file, text)
    }

    /// The name of the file in messages.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The text of the file.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The mapping of a table, by its position in the schema.
    pub fn table(&self, at: usize) -> Option<&TableMapping> {
        self.tables[at].as_ref()
    }

    /// The tables that the mapping can name.
    pub fn schema(&self) -> &TargetSchema {
        &self.schema
    }

    /// Whether the file names this file or sheet for a table. `names` are its names: of the file,
    /// of the sheet, and so on.
    pub fn has_name(&self, names: &[&str]) -> bool {
        self.tables.iter().flatten().flat_map(|table| &table.files).any(|f| is_one_of(f, names))
    }

    /// How a file or a sheet of these names is read.
    pub fn form(&self, names: &[&str]) -> FileForm {
        let form = self.forms.iter().find(|(name, _)| is_one_of(name, names));
        let form = form.map_or(&self.default_form, |(_, form)| form);
        FileForm { limit: self.limit, ..form.clone() }
    }

    /// The first place that says how other names or values become ours, if there is one.
    pub fn translation(&self) -> Option<MappingError> {
        let span = self.tables.iter().flatten().find_map(|table| table.translation.clone());
        let span = span.or_else(|| self.forms.first().map(|(name, _)| name.span.clone()))?;
        let what =
            "two runs have the same names: files, names, values, and formats are for exports";
        Some(self.fault(&span, what))
    }

    pub(crate) fn formats(&self, at: usize) -> &CellFormats {
        self.table(at).map_or(&self.formats, |table| &table.formats)
    }

    pub(crate) fn fault(&self, span: &Range<usize>, what: impl Into<String>) -> MappingError {
        fault_at(&self.file, &self.text, span, what)
    }

    /// The line of a place of the file, from 1.
    pub(crate) fn line(&self, span: &Range<usize>) -> usize {
        line_of(&self.text, span)
    }

    pub(crate) fn is_source(&self) -> bool {
        self.schema.mapping_use == MappingUse::Source
    }
}

pub(crate) fn is_one_of(pattern: &Located<String>, names: &[&str]) -> bool {
    names.iter().any(|name| matches(&pattern.value, name))
}

impl ValueTable {
    /// The text of ours for a text of the file; `None` if there is none.
    pub(crate) fn find(&self, text: &str) -> Option<&str> {
        self.values.get(&fold(text)).or_else(|| self.values.get(&written(text))).map(String::as_str)
    }
}

fn line_of(text: &str, span: &Range<usize>) -> usize {
    1 + text.as_bytes().iter().take(span.start).filter(|byte| **byte == b'\n').count()
}

pub(crate) fn fault_at(
    file: &str,
    text: &str,
    span: &Range<usize>,
    what: impl Into<String>,
) -> MappingError {
    MappingError { file: file.to_owned(), line: line_of(text, span), what: what.into() }
}
