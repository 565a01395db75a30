//! Files, plain or compressed with gzip.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

/// A file of a folder, with its name taken apart.
#[derive(Debug)]
pub(crate) struct FileEntry {
    pub(crate) path: PathBuf,
    /// The name, as the file system spells it.
    pub(crate) name: String,
    /// The length of the name without `.gz`.
    plain: usize,
}

impl FileEntry {
    /// The entries of a folder, by name.
    pub(crate) fn list(folder: &Path) -> io::Result<Vec<Self>> {
        let paths = std::fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path()));
        let mut paths: Vec<PathBuf> = paths.collect::<io::Result<_>>()?;
        paths.sort();
        Ok(paths.into_iter().map(Self::new).collect())
    }

    fn new(path: PathBuf) -> Self {
        let name = path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
        let plain = name.len() - if name.to_ascii_lowercase().ends_with(".gz") { 3 } else { 0 };
        Self { path, name, plain }
    }

    /// The name without its extension, and the extension in lower case, both without `.gz`.
    pub(crate) fn stem_and_extension(&self) -> Option<(&str, String)> {
        let (stem, extension) = self.name[..self.plain].rsplit_once('.')?;
        Some((stem, extension.to_ascii_lowercase()))
    }

    /// Opens the file. Its content is decompressed as it is read.
    pub(crate) fn open(&self) -> io::Result<Box<dyn Read>> {
        let file = File::open(&self.path)?;
        Ok(if self.is_compressed() {
            Box::new(MultiGzDecoder::new(BufReader::new(file)))
        } else {
            Box::new(file)
        })
    }

    /// Decompresses the bytes of the file.
    pub(crate) fn decompress(&self, bytes: Vec<u8>) -> io::Result<Vec<u8>> {
        if !self.is_compressed() {
            return Ok(bytes);
        }
        let mut text = Vec::new();
        MultiGzDecoder::new(bytes.as_slice()).read_to_end(&mut text)?;
        Ok(text)
    }

    fn is_compressed(&self) -> bool {
        self.plain < self.name.len()
    }
}
