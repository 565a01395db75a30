//! Files, plain or compressed with gzip.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::read::MultiGzDecoder;

/// The most bytes of the compressed files of a folder once they are decompressed, together: some
/// megabytes can become any number.
const MAX_DECOMPRESSED: u64 = 1 << 30;

/// A file of a folder, with its name taken apart.
#[derive(Debug)]
pub(crate) struct FileEntry {
    pub(crate) path: PathBuf,
    /// The name, as the file system spells it.
    pub(crate) name: String,
    /// The length of the name without `.gz`.
    plain: usize,
    /// What may still be decompressed in the folder.
    left: Arc<AtomicU64>,
}

impl FileEntry {
    /// The entries of a folder, by name.
    pub(crate) fn list(folder: &Path) -> io::Result<Vec<Self>> {
        let paths = std::fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path()));
        let mut paths: Vec<PathBuf> = paths.collect::<io::Result<_>>()?;
        paths.sort();
        let left = Arc::new(AtomicU64::new(MAX_DECOMPRESSED));
        Ok(paths.into_iter().map(|path| Self::new(path, Arc::clone(&left))).collect())
    }

    fn new(path: PathBuf, left: Arc<AtomicU64>) -> Self {
        let name = path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
        let plain = name.len() - if name.to_ascii_lowercase().ends_with(".gz") { 3 } else { 0 };
        Self { path, name, plain, left }
    }

    /// The name without its extension, and the extension in lower case, both without `.gz`.
    pub(crate) fn stem_and_extension(&self) -> Option<(&str, String)> {
        let (stem, extension) = self.name[..self.plain].rsplit_once('.')?;
        Some((stem, extension.to_ascii_lowercase()))
    }

    /// Opens the file. Its content is decompressed as it is read.
    pub(crate) fn open(&self) -> io::Result<Box<dyn Read>> {
        let file = File::open(&self.path)?;
        Ok(match self.is_compressed() {
            true => Box::new(self.decoder(BufReader::new(file))),
            false => Box::new(file),
        })
    }

    /// Decompresses the bytes of the file.
    pub(crate) fn decompress(&self, bytes: Vec<u8>) -> io::Result<Vec<u8>> {
        if !self.is_compressed() {
            return Ok(bytes);
        }
        let mut text = Vec::new();
        self.decoder(bytes.as_slice()).read_to_end(&mut text)?;
        Ok(text)
    }

    fn decoder<R: BufRead>(&self, compressed: R) -> impl Read + use<R> {
        LimitedReader { inner: MultiGzDecoder::new(compressed), left: Arc::clone(&self.left) }
    }

    fn is_compressed(&self) -> bool {
        self.plain < self.name.len()
    }
}

/// A reader that fails when a number of bytes is used up, which other readers use too.
struct LimitedReader<R> {
    inner: R,
    left: Arc<AtomicU64>,
}

impl<R: Read> Read for LimitedReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        let take = |left: u64| left.checked_sub(read as u64);
        if self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_err() {
            return Err(io::Error::other(format!(
                "the compressed files of the folder have more than {} MiB when they are \
                 decompressed; decompress them yourself",
                MAX_DECOMPRESSED >> 20
            )));
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    #[test]
    fn a_compressed_file_is_read_up_to_a_limit() {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&vec![b'x'; 3 << 20]).unwrap();
        let bytes = encoder.finish().unwrap();
        let left = Arc::new(AtomicU64::new((6 << 20) - 1));
        let read = || {
            let inner = MultiGzDecoder::new(bytes.as_slice());
            let reader = LimitedReader { inner, left: Arc::clone(&left) };
            io::read_to_string(reader).map(|text| text.len())
        };
        assert_eq!(read().unwrap(), 3 << 20);
        // The second file of the folder has a byte too many.
        let error = read().unwrap_err().to_string();
        assert!(error.contains("more than 1024 MiB"), "{error}");
    }
}
