//! One Parquet file with rows of a table.

use std::io::Write;
use std::sync::Arc;

use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::Result;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use powerfill_events::run::RunId;
use powerfill_tables::table::{RowBatch, TableRef};

use crate::rows::{write_column, write_constant};
use crate::schema::schema;

/// The rows of a row group, which is what a reader skips or reads as a whole. Readers work best
/// with 60,000 to 130,000.
const ROWS_PER_GROUP: usize = 65_536;

/// zstd's level: higher ones take longer and save a few percent.
const COMPRESSION_LEVEL: i32 = 3;

/// A file to which rows of one table of one run are added. The same rows give the same bytes.
pub struct TableFile<W: Write + Send> {
    run: String,
    rows: RowBatch,
    writer: SerializedFileWriter<W>,
}

impl<W: Write + Send> TableFile<W> {
    /// Begins a file. Its metadata names the run and the version of the program that wrote it.
    ///
    /// # Errors
    /// If `out` fails.
    pub fn new(out: W, table: TableRef, run: RunId) -> Result<Self> {
        let run = run.to_string();
        let properties = WriterProperties::builder()
            .set_created_by(concat!("powerfill ", env!("CARGO_PKG_VERSION")).to_owned())
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(COMPRESSION_LEVEL)?))
            .set_key_value_metadata(Some(vec![KeyValue::new(
                "powerfill.run_id".to_owned(),
                run.clone(),
            )]))
            .build();
        let writer = SerializedFileWriter::new(out, schema(table)?, Arc::new(properties))?;
        Ok(Self { run, rows: RowBatch::new(table), writer })
    }

    /// Adds rows of the table, in order.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn add(&mut self, mut rows: RowBatch) -> Result<()> {
        self.rows.append(&mut rows);
        if self.rows.len() >= ROWS_PER_GROUP {
            self.write_group()?;
        }
        Ok(())
    }

    /// Writes the remaining rows and the end of the file.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn finish(mut self) -> Result<W> {
        if !self.rows.is_empty() {
            self.write_group()?;
        }
        self.writer.into_inner()
    }

    fn write_group(&mut self) -> Result<()> {
        let mut group = self.writer.next_row_group()?;
        if let Some(mut run_id) = group.next_column()? {
            write_constant(&mut run_id, &self.run, self.rows.len())?;
            run_id.close()?;
        }
        for (at, column) in self.rows.table.columns.iter().enumerate() {
            if let Some(mut writer) = group.next_column()? {
                write_column(&mut writer, column, self.rows.rows().map(|row| &row[at]))?;
                writer.close()?;
            }
        }
        group.close()?;
        self.rows.cells.clear();
        Ok(())
    }
}
