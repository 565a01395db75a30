//! The file: a zip archive of parts, the list `SHA256SUMS` of their sums, and signatures of that
//! list. The comment of the archive is the SHA-256 of every byte before it. The same parts give the
//! same bytes: entries have no time, and one compression.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use zip::result::ZipError;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, System, ZipArchive, ZipWriter};

use crate::EvidenceError;
use crate::parts::{names, signature_part};

/// The largest part that is read, in bytes: a larger one is not from PowerFill.
const MAX_PART_BYTES: u64 = 8 << 30;
/// The largest list of sums, and the largest signature, in bytes.
const MAX_LIST_BYTES: u64 = 64 << 20;
/// The length of the comment: a SHA-256 in hexadecimal.
const COMMENT_BYTES: u64 = 64;

/// The same for every entry, so that the same parts give the same bytes on every machine.
fn entry_options() -> SimpleFileOptions {
    SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(6))
        .last_modified_time(zip::DateTime::default())
        .system(System::Unix)
        .unix_permissions(0o644)
}

fn hex(digest: impl AsRef<[u8]>) -> String {
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Writes a file of evidence. It appears under its name when it is complete; if the writer is
/// dropped before, nothing stays.
pub struct EvidenceWriter {
    target: PathBuf,
    partial: PathBuf,
    zip: Option<ZipWriter<BufWriter<File>>>,
    sums: String,
    replaces: bool,
}

impl EvidenceWriter {
    /// Begins a file. `replaces` says whether a file with this name may be replaced.
    ///
    /// # Errors
    /// [`EvidenceError::Exists`]; the file cannot be written.
    pub fn create(target: &Path, replaces: bool) -> Result<Self, EvidenceError> {
        if !replaces && target.exists() {
            return Err(EvidenceError::Exists(target.to_owned()));
        }
        let mut partial = target.as_os_str().to_owned();
        partial.push(".partial");
        let partial = PathBuf::from(partial);
        let mut options = File::options();
        options.read(true).write(true).create(true).truncate(true);
        let file = options.open(&partial).map_err(EvidenceError::io(target))?;
        let mut zip = ZipWriter::new(BufWriter::new(file)).set_auto_large_file();
        let comment = "0".repeat(COMMENT_BYTES as usize);
        zip.set_comment(comment).map_err(zip_error(target))?;
        let target = target.to_owned();
        Ok(Self { target, partial, zip: Some(zip), sums: String::new(), replaces })
    }

    fn zip(&mut self) -> &mut ZipWriter<BufWriter<File>> {
        self.zip.as_mut().expect("the file is open until it is finished")
    }

    /// Adds a part, and its sum to the list.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn part(&mut self, name: &str, content: &[u8]) -> Result<(), EvidenceError> {
        self.sums.push_str(&format!("{}  {name}\n", hex(Sha256::digest(content))));
        self.entry(name, content)
    }

    fn entry(&mut self, name: &str, content: &[u8]) -> Result<(), EvidenceError> {
        let failed = zip_error(&self.target);
        self.zip().start_file(name, entry_options()).map_err(failed)?;
        let failed = EvidenceError::io(&self.target);
        self.zip().write_all(content).map_err(failed)
    }

    /// Writes the list of sums, and gives the file its name.
    ///
    /// # Errors
    /// [`EvidenceError::Exists`]; the file cannot be written.
    pub fn finish(mut self) -> Result<(), EvidenceError> {
        let sums = std::mem::take(&mut self.sums);
        self.entry(names::SUMS, sums.as_bytes())?;
        self.close()
    }

    fn close(mut self) -> Result<(), EvidenceError> {
        let zip = self.zip.take().expect("the file is open until it is finished");
        let file = zip.finish().map_err(zip_error(&self.target))?;
        let failed = EvidenceError::io(&self.target);
        let file = file.into_inner().map_err(io::IntoInnerError::into_error).map_err(&failed)?;
        self.complete(file).map_err(failed)
    }

    /// Writes the comment, and moves the file to its place durably.
    fn complete(&self, mut file: File) -> io::Result<()> {
        let (sum, end) = sum_before_comment(&mut file)?;
        file.seek(SeekFrom::Start(end))?;
        file.write_all(sum.as_bytes())?;
        file.sync_all()?;
        if self.replaces {
            fs::rename(&self.partial, &self.target)?;
        } else {
            // Unlike a rename, a link never replaces a file that appeared meanwhile.
            match fs::hard_link(&self.partial, &self.target) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(error),
                // Some file systems have no links.
                Err(_) => fs::rename(&self.partial, &self.target)?,
                Ok(()) => {}
            }
        }
        let folder = self.target.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    }
}

impl Drop for EvidenceWriter {
    fn drop(&mut self) {
        self.zip = None;
        // It is gone if it has become the file.
        let _ = fs::remove_file(&self.partial);
    }
}

/// The SHA-256 of everything before the comment, and the position of the comment.
fn sum_before_comment(file: &mut File) -> io::Result<(String, u64)> {
    let end = file.seek(SeekFrom::End(0))?.saturating_sub(COMMENT_BYTES);
    file.seek(SeekFrom::Start(0))?;
    let mut hasher = Sha256::new();
    let mut rest = BufReader::with_capacity(1 << 16, file).take(end);
    io::copy(&mut rest, &mut HashWriter(&mut hasher))?;
    Ok((hex(hasher.finalize()), end))
}

/// The SHA-256 of a whole file, hexadecimal.
pub(crate) fn file_sha256(path: &Path) -> Result<String, EvidenceError> {
    let mut hasher = Sha256::new();
    let mut file = File::open(path).map_err(EvidenceError::io(path))?;
    io::copy(&mut file, &mut HashWriter(&mut hasher)).map_err(EvidenceError::io(path))?;
    Ok(hex(hasher.finalize()))
}

struct HashWriter<'a>(&'a mut Sha256);

impl Write for HashWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// An open file of evidence. Each part is compared with its sum when it is read.
pub struct EvidenceReader {
    path: PathBuf,
    zip: ZipArchive<BufReader<File>>,
    sums_text: Vec<u8>,
    sums: BTreeMap<String, String>,
    signatures: Vec<Vec<u8>>,
}

impl EvidenceReader {
    /// Opens a file, and reads the list of sums and the signatures.
    ///
    /// # Errors
    /// [`EvidenceError::Damaged`] if it is no such file, or has other parts than the list; the file
    /// cannot be read.
    pub fn open(path: &Path) -> Result<Self, EvidenceError> {
        let file = File::open(path).map_err(EvidenceError::io(path))?;
        let zip = ZipArchive::new(BufReader::new(file)).map_err(zip_error(path))?;
        let mut reader = Self {
            path: path.to_owned(),
            zip,
            sums_text: Vec::new(),
            sums: BTreeMap::new(),
            signatures: Vec::new(),
        };
        if reader.zip.has_duplicate_names() {
            let what = format!("{} has two parts with one name", path.display());
            return Err(EvidenceError::Damaged(what));
        }
        reader.sums_text = reader.entry(names::SUMS, MAX_LIST_BYTES)?;
        reader.sums = sums(&reader.sums_text)?;
        let files = reader.zip.file_names().collect::<Result<Vec<_>, _>>();
        let files = files.map_err(zip_error(path))?.into_iter().map(|name| name.into_owned());
        let files: Vec<String> = files.collect();
        let signatures = (1..).map(signature_part);
        let signatures: Vec<String> = signatures.take_while(|name| files.contains(name)).collect();
        for name in &signatures {
            let signature = reader.entry(name, MAX_LIST_BYTES)?;
            reader.signatures.push(signature);
        }
        let is_known = |name: &String| {
            name == names::SUMS || signatures.contains(name) || reader.sums.contains_key(name)
        };
        match files.iter().find(|name| !is_known(name)) {
            Some(name) => Err(EvidenceError::damaged(name, "SHA256SUMS does not list this part")),
            None => Ok(reader),
        }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The text of the list of sums, which signatures cover.
    pub fn sums(&self) -> &[u8] {
        &self.sums_text
    }

    /// The signatures, as SSH writes them.
    pub fn signatures(&self) -> &[Vec<u8>] {
        &self.signatures
    }

    /// The names of the parts in the list, in ascending order.
    pub fn parts(&self) -> Vec<String> {
        self.sums.keys().cloned().collect()
    }

    /// Whether the list has a part.
    pub fn has(&self, name: &str) -> bool {
        self.sums.contains_key(name)
    }

    /// The content of a part.
    ///
    /// # Errors
    /// [`EvidenceError::Damaged`] if it is missing, or does not have its sum.
    pub fn part(&mut self, name: &str) -> Result<Vec<u8>, EvidenceError> {
        let Some(sum) = self.sums.get(name).cloned() else {
            return Err(EvidenceError::damaged(name, "the part is missing in SHA256SUMS"));
        };
        let content = self.entry(name, MAX_PART_BYTES)?;
        if hex(Sha256::digest(&content)) != sum {
            return Err(EvidenceError::damaged(name, "it does not have its sum in SHA256SUMS"));
        }
        Ok(content)
    }

    /// Adds a signature to the file, which is replaced whole. The other parts are copied as they
    /// are compressed.
    ///
    /// # Errors
    /// The file cannot be read or written.
    pub(crate) fn add_signature(mut self, signature: &[u8]) -> Result<(), EvidenceError> {
        let mut writer = EvidenceWriter::create(&self.path, true)?;
        let failed = zip_error(&self.path);
        for at in 0..self.zip.len() {
            let entry = self.zip.by_index_raw(at).map_err(&failed)?;
            writer.zip().raw_copy_file(entry).map_err(&failed)?;
        }
        writer.entry(&signature_part(self.signatures.len() + 1), signature)?;
        writer.close()
    }

    /// Compares the whole file with its comment.
    ///
    /// # Errors
    /// [`EvidenceError::Damaged`] if a byte was changed; the file cannot be read.
    pub fn check_whole(&self) -> Result<(), EvidenceError> {
        let mut file = File::open(&self.path).map_err(EvidenceError::io(&self.path))?;
        let (sum, _) = sum_before_comment(&mut file).map_err(EvidenceError::io(&self.path))?;
        if self.zip.comment() == sum.as_bytes() && self.zip.offset() == 0 {
            return Ok(());
        }
        let what = "a byte between the parts was changed: the archive does not have the SHA-256 \
                    of its comment";
        Err(EvidenceError::Damaged(what.to_owned()))
    }

    fn entry(&mut self, name: &str, limit: u64) -> Result<Vec<u8>, EvidenceError> {
        let entry = self.zip.by_name(name).map_err(|error| match error {
            ZipError::FileNotFound => EvidenceError::damaged(name, "the part is missing"),
            other => EvidenceError::damaged(name, format!("it cannot be read: {other}")),
        })?;
        let mut content = Vec::new();
        let read = entry.take(limit + 1).read_to_end(&mut content);
        read.map_err(|error| EvidenceError::damaged(name, format!("it cannot be read: {error}")))?;
        if content.len() as u64 > limit {
            return Err(EvidenceError::damaged(name, format!("it has more than {limit} bytes")));
        }
        Ok(content)
    }
}

/// Reads a list as `sha256sum` writes it.
fn sums(text: &[u8]) -> Result<BTreeMap<String, String>, EvidenceError> {
    let malformed = || EvidenceError::damaged(names::SUMS, "it is no list of sums");
    let text = std::str::from_utf8(text).map_err(|_| malformed())?;
    let mut sums = BTreeMap::new();
    for line in text.lines() {
        let (sum, name) = line.split_once("  ").ok_or_else(malformed)?;
        if sums.insert(name.to_owned(), sum.to_owned()).is_some() {
            return Err(EvidenceError::damaged(name, "SHA256SUMS lists it twice"));
        }
    }
    Ok(sums)
}

fn zip_error(path: &Path) -> impl Fn(ZipError) -> EvidenceError + use<> {
    let path = path.to_owned();
    move |error| match error {
        ZipError::Io(source) => EvidenceError::Io { path: path.clone(), source },
        other => EvidenceError::Damaged(format!(
            "{} is not a file of `powerfill evidence export`: {other}",
            path.display()
        )),
    }
}
