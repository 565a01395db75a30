//! Assigns the files and sheets of another system to our tables, and their columns to ours.

use std::collections::{BTreeMap, BTreeSet};

use powerfill_events::input::{RawTable, TableTooLarge};
use powerfill_events::values::fold;

use crate::mapping::{ColumnMapping, Located, Mapping, MappingError, is_one_of};
use crate::names::{hint, normalize, written};
use crate::schema::TargetTable;

/// A table of another system: a file, a sheet of a workbook, or a table of a database.
#[derive(Debug)]
pub struct ForeignTable {
    /// The file, the workbook, or the database.
    pub file: String,
    /// Whether it is one of several tables of the file.
    pub is_sheet: bool,
    /// BLAKE3 of the file, hexadecimal.
    pub digest: String,
    /// How the file was read: its encoding and delimiter, and what was left out.
    pub notes: Vec<String>,
    /// How a draft says where the header is, if it was looked for and is not the first row.
    pub header_lines: Vec<String>,
    /// The table. Its name is that of the file without ending, or that of the sheet.
    pub table: RawTable,
}

impl ForeignTable {
    /// The file and, if it has several tables, the sheet.
    pub fn title(&self) -> String {
        if self.is_sheet {
            format!("{} {}", self.file, self.table.name())
        } else {
            self.file.clone()
        }
    }

    fn has_name(&self, pattern: &Located<String>) -> bool {
        is_named(pattern, &self.file, self.is_sheet, self.table.name())
    }
}

fn is_named(pattern: &Located<String>, file: &str, is_sheet: bool, name: &str) -> bool {
    let with_sheet = format!("{file}/{name}");
    is_one_of(pattern, &[name, if is_sheet { &with_sheet } else { file }])
}

/// Why tables of another system cannot be read by a mapping.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BindError {
    /// The mapping does not fit the files.
    #[error(transparent)]
    Mapping(#[from] MappingError),
    /// Two files for one table, or two columns for one column.
    #[error("{0}")]
    Files(String),
    /// A table is too large.
    #[error("{0}")]
    TooLarge(#[from] TableTooLarge),
}

/// The columns of a foreign table, assigned to those of a table of ours.
#[derive(Debug)]
pub struct BoundColumns {
    /// By position in our table.
    pub(crate) sources: Vec<CellSource>,
    /// By position among the columns that our table does not list.
    pub(crate) more: Vec<CellSource>,
    /// The positions of foreign columns that nothing uses.
    pub unused: Vec<usize>,
}

impl BoundColumns {
    /// Whether the foreign table or the mapping has values for a column of ours.
    pub fn has(&self, column: usize) -> bool {
        self.sources[column] != CellSource::Absent
    }
}

/// Where the values of a column come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CellSource {
    Absent,
    /// A constant of the mapping, or the default of a column that is absent.
    Mapping,
    From(Vec<CellPlace>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CellPlace {
    Column(usize),
    FileName,
    SheetName,
}

impl CellSource {
    /// The only foreign column, if there is one.
    pub(crate) fn column(&self) -> Option<usize> {
        match self {
            Self::From(places) => match places[..] {
                [CellPlace::Column(at)] => Some(at),
                _ => None,
            },
            _ => None,
        }
    }
}

impl Mapping {
    /// Whether the mapping names a file or sheet for one of our tables.
    pub fn is_named(&self, file: &str, is_sheet: bool, name: &str) -> bool {
        let mut given = self.tables.iter().flatten().flat_map(|table| &table.files);
        given.any(|pattern| is_named(pattern, file, is_sheet, name))
    }

    /// Whether a file or sheet has the name of one of our tables, for which the mapping names none.
    pub fn is_default(&self, name: &str) -> bool {
        self.default_table(name).is_some_and(|at| self.has_default_files(at))
    }

    /// Whether the files of a table are those of its name, because the mapping names none.
    fn has_default_files(&self, at: usize) -> bool {
        self.table(at).is_none_or(|table| table.files.is_empty())
    }

    /// The position of the table in a file or sheet of this name by default:
    /// `dbo.PFILL_Trade_Recap`, `[dbo].[pfill_trade_recap]`, or the first 31 characters, the
    /// longest name of a sheet.
    pub fn default_table(&self, name: &str) -> Option<usize> {
        let last = normalize(name.rsplit('.').next().unwrap_or(name));
        let tables = &self.schema.tables;
        let is = |at: &usize| {
            let own = fold(tables[*at].name);
            own == last || (last.len() == SHEET_NAME_LENGTH && own.starts_with(&last))
        };
        let mut found = (0..tables.len()).filter(is);
        found.next().filter(|_| found.next().is_none())
    }

    /// The positions of the foreign tables of each table of ours. `others` are the names of files
    /// and sheets that were not read.
    ///
    /// # Errors
    /// A name of the mapping that no file has; two files with the name of one table.
    pub fn assign_tables(
        &self,
        files: &[ForeignTable],
        others: &[String],
    ) -> Result<Vec<Vec<usize>>, BindError> {
        let read = files.iter().map(|file| file.table.name());
        let names: Vec<&str> = read.chain(others.iter().map(String::as_str)).collect();
        let mut assigned = vec![Vec::new(); self.tables.len()];
        for (at, table) in self.tables.iter().enumerate() {
            for pattern in table.iter().flat_map(|table| &table.files) {
                let found: Vec<usize> =
                    (0..files.len()).filter(|file| files[*file].has_name(pattern)).collect();
                if found.is_empty() {
                    let hint = hint(&pattern.value, names.iter().copied());
                    let what = format!("no file or sheet {}{hint}", pattern.value);
                    return Err(self.fault(&pattern.span, what).into());
                }
                let new: Vec<usize> =
                    found.into_iter().filter(|file| !assigned[at].contains(file)).collect();
                assigned[at].extend(new);
            }
        }
        self.check_forms(files, &names)?;
        let named: BTreeSet<usize> = assigned.iter().flatten().copied().collect();
        for (position, file) in files.iter().enumerate() {
            let default = self.default_table(file.table.name());
            let Some(at) =
                default.filter(|at| self.has_default_files(*at) && !named.contains(&position))
            else {
                continue;
            };
            if let Some(other) = assigned[at].first() {
                let (other, this) = (files[*other].table.name(), file.table.name());
                let table = self.schema.tables[at].name;
                return Err(BindError::Files(format!(
                    "{other} and {this} both are {table}; say which in the mapping: \
                     [tables.{table}] name = \"…\""
                )));
            }
            assigned[at].push(position);
        }
        Ok(assigned)
    }

    /// Refuses a form of a file or sheet that is not there.
    fn check_forms(&self, files: &[ForeignTable], names: &[&str]) -> Result<(), BindError> {
        for (pattern, _) in &self.forms {
            let is_used =
                |file: &ForeignTable| file.has_name(pattern) || is_one_of(pattern, &[&file.file]);
            if !files.iter().any(is_used) {
                let hint = hint(&pattern.value, names.iter().copied());
                let what = format!("no table is read from a file or sheet {}{hint}", pattern.value);
                return Err(self.fault(&pattern.span, what).into());
            }
        }
        Ok(())
    }

    /// Assigns the columns of a foreign table to those of a table of ours.
    ///
    /// # Errors
    /// A column of the mapping that the foreign table does not have; two columns for one.
    pub fn bind_columns(
        &self,
        at: usize,
        foreign: &ForeignTable,
    ) -> Result<BoundColumns, BindError> {
        let spec = &self.schema.tables[at];
        let mut binding = ColumnBinding {
            mapping: self,
            spec,
            foreign,
            used: vec![false; foreign.table.columns().len()],
        };
        let none = BTreeMap::new();
        let columns = self.table(at).map_or(&none, |table| &table.columns);
        let mut sources = vec![CellSource::Absent; spec.columns.len()];
        for (position, column) in columns {
            sources[*position] = binding.source(column)?;
        }
        let mut more = Vec::new();
        for (name, column) in self.table(at).into_iter().flat_map(|table| &table.more_columns) {
            let source = binding.source(column)?;
            more.push(match source {
                CellSource::Absent => binding.named(&name.value, &name.span)?,
                source => source,
            });
        }
        let unused = binding.default_columns(columns, &mut sources)?;
        for (position, column) in columns {
            if sources[*position] == CellSource::Absent && column.default.is_some() {
                sources[*position] = CellSource::Mapping;
            }
        }
        Ok(BoundColumns { sources, more, unused })
    }
}

/// The longest name of a sheet.
const SHEET_NAME_LENGTH: usize = 31;

struct ColumnBinding<'a> {
    mapping: &'a Mapping,
    spec: &'a TargetTable,
    foreign: &'a ForeignTable,
    /// The foreign columns that the mapping names.
    used: Vec<bool>,
}

impl ColumnBinding<'_> {
    /// Where the mapping takes a column from; absent if it does not say.
    fn source(&mut self, column: &ColumnMapping) -> Result<CellSource, BindError> {
        if column.constant.is_some() {
            return Ok(CellSource::Mapping);
        }
        if column.from.is_empty() {
            return Ok(CellSource::Absent);
        }
        let mut places = Vec::new();
        for name in &column.from {
            places.push(match name.value.as_str() {
                "{file}" => CellPlace::FileName,
                "{sheet}" => CellPlace::SheetName,
                _ => CellPlace::Column(self.find(&name.value, &name.span)?),
            });
        }
        Ok(CellSource::From(places))
    }

    fn named(
        &mut self,
        name: &str,
        span: &std::ops::Range<usize>,
    ) -> Result<CellSource, BindError> {
        Ok(CellSource::From(vec![CellPlace::Column(self.find(name, span)?)]))
    }

    /// The position of the foreign column with this name.
    fn find(&mut self, name: &str, span: &std::ops::Range<usize>) -> Result<usize, BindError> {
        let header = self.foreign.table.columns();
        let wanted = written(name);
        let found: Vec<usize> =
            (0..header.len()).filter(|at| written(&header[*at]) == wanted).collect();
        let title = self.foreign.title();
        match found[..] {
            [at] => {
                self.used[at] = true;
                Ok(at)
            }
            [] => {
                let names = header.iter().map(String::as_str).filter(|name| !name.is_empty());
                let hint = hint(name, names.clone());
                let what = format!("{title} has no column {name}{hint}");
                Err(self.mapping.fault(span, what).into())
            }
            _ => {
                let what = format!(
                    "{title} has {} columns {name}; name its columns in the mapping: \
                     [files.\"{}\"] columns = [\"…\"]",
                    found.len(),
                    self.foreign.file
                );
                Err(self.mapping.fault(span, what).into())
            }
        }
    }

    /// Assigns foreign columns to the columns of ours of the same name. Returns those that nothing
    /// uses.
    fn default_columns(
        &self,
        columns: &BTreeMap<usize, ColumnMapping>,
        sources: &mut [CellSource],
    ) -> Result<Vec<usize>, BindError> {
        let mut unused = Vec::new();
        for (at, name) in self.foreign.table.columns().iter().enumerate() {
            if self.used[at] {
                continue;
            }
            let wanted = normalize(name);
            // A renamed column takes precedence over a column that has the name already.
            let is_mapped = |column: &usize| {
                let mapped = columns.get(column);
                mapped.is_some_and(|mapped| !mapped.from.is_empty() || mapped.constant.is_some())
            };
            let own = self.spec.columns.iter().position(|column| fold(column.name) == wanted);
            match own.filter(|column| !is_mapped(column)) {
                None => unused.push(at),
                Some(column) if sources[column] == CellSource::Absent => {
                    sources[column] = CellSource::From(vec![CellPlace::Column(at)]);
                }
                Some(column) => {
                    let (title, column) = (self.foreign.title(), self.spec.columns[column].name);
                    return Err(BindError::Files(format!(
                        "{title}: two columns are {column}; the second is column {} ({name})",
                        at + 1
                    )));
                }
            }
        }
        Ok(unused)
    }
}
