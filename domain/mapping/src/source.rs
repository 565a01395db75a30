//! The raw tables of a snapshot from the tables of another system (specification 4.1).

use std::collections::{BTreeMap, BTreeSet};

use powerfill_events::input::{RawTable, RowOrigin, TooLarge};
use powerfill_events::values::fold;
use powerfill_snapshot::tables::ColumnType;
use powerfill_snapshot::{IgnoredPart, RawSnapshot};

use crate::bind::{BindError, BoundColumns, CellPlace, CellSource, ForeignTable};
use crate::cells::{CellRule, MappedCell};
use crate::mapping::{Mapping, MappingRow, OtherColumns, TableMapping};
use crate::rows::MappedRows;
use crate::schema::{LOAN, ValueKind};

/// The table that declares the types of columns that `loan` does not list.
const LOAN_COLUMNS: &str = "loan_columns";

/// The tables of a snapshot that a mapping made.
#[derive(Debug)]
pub struct MappedSource {
    /// The raw tables.
    pub snapshot: RawSnapshot,
    /// What was read how, and what was left out, one sentence each.
    pub notes: Vec<String>,
    /// The names of the files and sheets that were read, and the BLAKE3 of the files, hexadecimal.
    pub files: Vec<(String, String)>,
}

/// Makes the raw tables of a snapshot. `others` are the names of files and sheets that were not
/// read. A cell that cannot be read becomes a fault of the validation
/// there.
///
/// # Errors
/// [`BindError`]: the mapping does not fit the files.
pub fn map_source(
    mapping: &Mapping,
    files: &[ForeignTable],
    others: &[String],
) -> Result<MappedSource, BindError> {
    let assigned = mapping.assign_tables(files, others)?;
    let mut mapped =
        MappedSource { snapshot: RawSnapshot::default(), notes: Vec::new(), files: Vec::new() };
    let types = declared_types(mapping, &assigned, files);
    for (at, of_table) in assigned.iter().enumerate() {
        let foreign: Vec<&ForeignTable> = of_table.iter().map(|file| &files[*file]).collect();
        let maker = TableMaker { mapping, at, notes: &mut mapped.notes };
        if let Some(table) = maker.make(&foreign, &types)? {
            mapped.snapshot.tables.push(table);
        }
    }
    let used: BTreeSet<usize> = assigned.into_iter().flatten().collect();
    for (at, file) in files.iter().enumerate() {
        match used.contains(&at) {
            true => mapped.files.push((file.title(), file.digest.clone())),
            false => mapped.snapshot.ignored.push(IgnoredPart::Relation(file.title())),
        }
    }
    Ok(mapped)
}

/// The types of columns that `loan` does not list, by folded name.
fn declared_types(
    mapping: &Mapping,
    assigned: &[Vec<usize>],
    files: &[ForeignTable],
) -> BTreeMap<String, ValueKind> {
    let mut types = BTreeMap::new();
    let Some(position) = mapping.schema.position(LOAN_COLUMNS) else { return types };
    for file in assigned[position].iter().map(|file| &files[*file].table) {
        let column = |name: &str| file.columns().iter().position(|c| fold(c.trim()) == fold(name));
        let (Some(name), Some(of_type)) = (column("column_name"), column("type")) else { continue };
        for row in 0..file.rows() {
            let kind = match fold(file.cell(row, of_type)).as_str() {
                "NUMBER" => ValueKind::Number,
                "DATE" => ValueKind::Day,
                _ => ValueKind::Text,
            };
            types.insert(fold(file.cell(row, name)), kind);
        }
    }
    types
}

/// Makes one table.
struct TableMaker<'a> {
    mapping: &'a Mapping,
    at: usize,
    notes: &'a mut Vec<String>,
}

/// A foreign table with its columns, and the foreign columns that stay under their own names.
struct BoundFile<'a> {
    foreign: &'a ForeignTable,
    columns: BoundColumns,
    kept: Vec<usize>,
}

impl TableMaker<'_> {
    fn make(
        mut self,
        foreign: &[&ForeignTable],
        types: &BTreeMap<String, ValueKind>,
    ) -> Result<Option<RawTable>, BindError> {
        let mapping = self.mapping;
        let spec = &mapping.schema.tables[self.at];
        let table = mapping.table(self.at);
        let declared = self.declared_rows(types);
        let rows: Vec<&MappingRow> =
            table.into_iter().flat_map(|table| &table.rows).chain(&declared).collect();
        if foreign.is_empty() && rows.is_empty() {
            return match table {
                Some(table) => {
                    let what = format!(
                        "nothing has the rows of {0}: name its file or sheet, [tables.{0}] name = \
                         \"…\", or write rows, [[tables.{0}.rows]]",
                        spec.name
                    );
                    Err(mapping.fault(&table.span, what).into())
                }
                None => Ok(None),
            };
        }
        let mut bound = Vec::new();
        for foreign in foreign {
            bound.push(self.bind(foreign)?);
        }
        let layout = MappedLayout::new(self.at, mapping, table, &bound, &rows);
        let mut origins: Vec<RowOrigin> =
            bound.iter().map(|file| file.foreign.table.origin(&layout.positions(file))).collect();
        origins.push(RowOrigin::file(mapping.file()));
        let mut made = RawTable::mapped(spec.name, layout.names(), origins).within(mapping.limit);
        let mut seen = BTreeSet::new();
        for (origin, file) in (0_u32..).zip(&bound) {
            let rows = MappedRows::new(mapping, self.at, file.foreign, &file.columns)?;
            let left_out = layout.push_rows(&mut made, origin, file, &rows, types, &mut seen);
            let (conditions, repeated) = left_out.map_err(TooLarge::of(spec.name))?;
            self.note(file, conditions, repeated);
        }
        let origin = u32::try_from(bound.len()).unwrap_or(u32::MAX);
        for row in rows {
            let line = u32::try_from(mapping.line(&row.span)).unwrap_or(u32::MAX);
            made.begin_row_of(origin, line.saturating_sub(1));
            layout.push_own(&mut made, row).map_err(TooLarge::of(spec.name))?;
        }
        Ok(Some(made))
    }

    /// The rows of `loan_columns` for the columns that the mapping adds to `loan`.
    fn declared_rows(&self, types: &BTreeMap<String, ValueKind>) -> Vec<MappingRow> {
        let schema = &self.mapping.schema;
        if schema.tables[self.at].name != LOAN_COLUMNS {
            return Vec::new();
        }
        let loan = schema.position(LOAN).and_then(|at| self.mapping.table(at));
        let added = loan.into_iter().flat_map(|table| &table.more_columns);
        let typed = added.filter_map(|(name, column)| {
            let of_type = column.declared.filter(|of_type| *of_type != ColumnType::Text)?;
            let is_new = !types.contains_key(&fold(&name.value));
            let cells = [(0, name.value.clone()), (1, of_type.as_str().to_owned())];
            is_new.then(|| MappingRow { span: name.span.clone(), cells: cells.into() })
        });
        typed.collect()
    }

    fn bind<'f>(&mut self, foreign: &'f ForeignTable) -> Result<BoundFile<'f>, BindError> {
        let columns = self.mapping.bind_columns(self.at, foreign)?;
        let (mut kept, mut unused) = (Vec::new(), Vec::new());
        let keeps_all = match self.mapping.table(self.at) {
            // A table that the mapping does not name is as without a mapping.
            None => true,
            Some(table) => {
                table.others == OtherColumns::All
                    && self.mapping.schema.tables[self.at].takes_more_columns
            }
        };
        for at in columns.unused.iter().copied() {
            if keeps_all { kept.push(at) } else { unused.push(at) }
        }
        self.notes.push(format!(
            "{} is {}: {} rows{}",
            foreign.title(),
            self.mapping.schema.tables[self.at].name,
            foreign.table.rows(),
            foreign.notes.iter().map(|note| format!("; {note}")).collect::<String>()
        ));
        let header = foreign.table.columns();
        let unused: Vec<&str> = unused.into_iter().map(|at| header[at].as_str()).collect();
        if !unused.is_empty() {
            let title = foreign.title();
            self.notes.push(format!("{title}: columns not used: {}", unused.join(", ")));
        }
        Ok(BoundFile { foreign, columns, kept })
    }

    fn note(&mut self, file: &BoundFile<'_>, conditions: u64, repeated: u64) {
        let table = self.mapping.schema.tables[self.at].name;
        let title = file.foreign.title();
        if conditions > 0 {
            self.notes.push(format!(
                "{title}: {conditions} rows left out of {table} by the conditions of the mapping"
            ));
        }
        if repeated > 0 {
            self.notes.push(format!("{title}: {repeated} repeated rows left out of {table}"));
        }
    }
}

/// The columns of a mapped table.
struct MappedLayout<'a> {
    mapping: &'a Mapping,
    at: usize,
    /// The positions of our columns that any file has.
    own: Vec<usize>,
    /// The names of columns that our table does not list and the mapping adds.
    more: Vec<&'a str>,
    /// The names of foreign columns that stay.
    kept: Vec<String>,
}

impl<'a> MappedLayout<'a> {
    fn new(
        at: usize,
        mapping: &'a Mapping,
        table: Option<&'a TableMapping>,
        bound: &[BoundFile<'_>],
        rows: &[&MappingRow],
    ) -> Self {
        let columns = mapping.schema.tables[at].columns.len();
        let has = |column: &usize| {
            bound.iter().any(|file| file.columns.has(*column))
                || rows.iter().any(|row| row.cells.contains_key(column))
        };
        let more = table.into_iter().flat_map(|table| &table.more_columns);
        let mut kept: Vec<String> = Vec::new();
        for file in bound {
            let header = file.foreign.table.columns();
            for name in file.kept.iter().map(|at| &header[*at]) {
                if !kept.iter().any(|known| fold(known) == fold(name)) {
                    kept.push(name.clone());
                }
            }
        }
        Self {
            mapping,
            at,
            own: (0..columns).filter(has).collect(),
            more: more.map(|(name, _)| name.value.as_str()).collect(),
            kept,
        }
    }

    fn names(&self) -> Vec<String> {
        let spec = &self.mapping.schema.tables[self.at];
        let own = self.own.iter().map(|at| spec.columns[*at].name.to_owned());
        let more = self.more.iter().map(|name| (*name).to_owned());
        own.chain(more).chain(self.kept.iter().cloned()).collect()
    }

    /// By column of the mapped table: the position of the foreign column.
    fn positions(&self, file: &BoundFile<'_>) -> Vec<Option<usize>> {
        let own = self.own.iter().map(|at| file.columns.sources[*at].column());
        let more = file.columns.more.iter().map(CellSource::column);
        own.chain(more).chain(self.kept.iter().map(|name| kept_at(file, name))).collect()
    }

    /// Adds the rows of a file. Returns how many the conditions left out, and how many were
    /// repeated.
    fn push_rows(
        &self,
        made: &mut RawTable,
        origin: u32,
        file: &BoundFile<'_>,
        rows: &MappedRows<'_>,
        types: &BTreeMap<String, ValueKind>,
        seen: &mut BTreeSet<Vec<String>>,
    ) -> Result<(u64, u64), TooLarge> {
        let is_distinct = self.mapping.table(self.at).is_some_and(|table| table.distinct);
        let formats = self.mapping.formats(self.at);
        let kept: Vec<(Option<usize>, CellRule<'_>)> = self
            .kept
            .iter()
            .map(|name| {
                let kind = types.get(&fold(name)).copied().unwrap_or(ValueKind::Text);
                let rule = CellRule { kind, column: None, formats, keeps_unknown_values: false };
                (kept_at(file, name), rule)
            })
            .collect();
        let (mut conditions, mut repeated) = (0, 0);
        for row in 0..rows.len() {
            if !rows.takes(row) {
                conditions += 1;
                continue;
            }
            let own = self.own.iter().map(|at| rows.cell(row, *at));
            let more = (0..self.more.len()).map(|at| rows.more_cell(row, at));
            let kept = kept.iter().map(|(at, rule)| match at {
                Some(at) => {
                    let source = CellSource::From(vec![CellPlace::Column(*at)]);
                    rule.cell(&source, file.foreign, row)
                }
                None => MappedCell::Null,
            });
            let cells: Vec<MappedCell<'_>> = own.chain(more).chain(kept).collect();
            if is_distinct {
                let texts = cells.iter().map(|cell| cell.text().into_owned()).collect();
                if !seen.insert(texts) {
                    repeated += 1;
                    continue;
                }
            }
            made.begin_row_of(origin, file.foreign.table.position(row));
            for cell in &cells {
                match cell {
                    MappedCell::Unreadable(text, reason) => {
                        made.push_unfit(text, reason.as_str())?
                    }
                    cell => made.push_cell(&cell.text())?,
                }
            }
            made.end_row()?;
        }
        Ok((conditions, repeated))
    }

    /// Adds a row of the mapping itself.
    fn push_own(&self, made: &mut RawTable, row: &MappingRow) -> Result<(), TooLarge> {
        for at in &self.own {
            made.push_cell(row.cells.get(at).map_or("", String::as_str))?;
        }
        for _ in 0..self.more.len() + self.kept.len() {
            made.push_cell("")?;
        }
        made.end_row()
    }
}

/// The position of a foreign column that stays under this name.
fn kept_at(file: &BoundFile<'_>, name: &str) -> Option<usize> {
    let header = file.foreign.table.columns();
    file.kept.iter().copied().find(|at| fold(&header[*at]) == fold(name))
}
