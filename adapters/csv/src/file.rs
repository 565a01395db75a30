//! Files, plain or compressed with gzip.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

/// The most bytes of a file once it is decompressed: some megabytes can become any number.
const MAX_DECOMPRESSED: u64 = 1 << 30;

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
            Box::new(LimitedReader::new(
                MultiGzDecoder::new(BufReader::new(file)),
                MAX_DECOMPRESSED,
            ))
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
        LimitedReader::new(MultiGzDecoder::new(bytes.as_slice()), MAX_DECOMPRESSED)
            .read_to_end(&mut text)?;
        Ok(text)
    }

    fn is_compressed(&self) -> bool {
        self.plain < self.name.len()
    }
}

/// A reader that fails after a number of bytes.
struct LimitedReader<R> {
    inner: R,
    most: u64,
    left: u64,
}

impl<R> LimitedReader<R> {
    const fn new(inner: R, most: u64) -> Self {
        Self { inner, most, left: most }
    }
}

impl<R: Read> Read for LimitedReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        let Some(left) = self.left.checked_sub(read as u64) else {
            return Err(io::Error::other(format!(
                "it has more than {} MiB when it is decompressed; split it, or decompress it yourself",
                self.most >> 20
            )));
        };
        self.left = left;
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
        let read = |most: u64| {
            let reader = LimitedReader::new(MultiGzDecoder::new(bytes.as_slice()), most);
            io::read_to_string(reader).map(|text| text.len())
        };
        assert_eq!(read(3 << 20).unwrap(), 3 << 20);
        let error = read((3 << 20) - 1).unwrap_err().to_string();
        assert!(error.contains("more than 2 MiB"), "{error}");
    }
}
