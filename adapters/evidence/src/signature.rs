//! SSH signatures over the list of sums, which `ssh-keygen -Y` makes and checks too. The sums cover
//! every part, so that a signature covers the whole evidence.

use std::fs;
use std::path::Path;

use ssh_key::{Algorithm, HashAlg, LineEnding, PrivateKey, PublicKey, SshSig};

use crate::EvidenceError;
use crate::container::EvidenceReader;
use crate::parts::signature_part;
use crate::verify::{Expectation, verify};

/// The namespace of the signatures: a signature that the key made for another purpose is not one of
/// evidence.
pub const NAMESPACE: &str = "powerfill-evidence";

/// A key whose signature is accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signer {
    key: PublicKey,
    name: String,
}

/// A valid signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedSignature {
    /// The fingerprint of its key, as `ssh-keygen -l` prints it.
    pub fingerprint: String,
    /// The name of the signer, if it is one of those that were given.
    pub signer: Option<String>,
}

/// Where a signature comes from.
#[derive(Debug, Clone, Copy)]
pub enum SignatureSource<'a> {
    /// An OpenSSH private key of the type ed25519, without a passphrase.
    Key(&'a Path),
    /// A signature of `SHA256SUMS` by `ssh-keygen -Y sign`.
    Signature(&'a Path),
}

/// Checks a file of evidence, and adds a signature to it. The file is replaced whole or not at all.
///
/// # Errors
/// The evidence is not whole, the key or the signature cannot be used, or the file cannot be
/// written.
pub fn sign(path: &Path, source: SignatureSource<'_>) -> Result<CheckedSignature, EvidenceError> {
    verify(path, Expectation::default())?;
    let reader = EvidenceReader::open(path)?;
    let (file, signature) = match source {
        SignatureSource::Key(file) => (file, new_signature(file, reader.sums())?),
        SignatureSource::Signature(file) => {
            let signature = fs::read(file).map_err(EvidenceError::io(file))?;
            let parsed = SshSig::from_pem(&signature);
            (file, parsed.map_err(|error| key_error(file, format!("no SSH signature: {error}")))?)
        }
    };
    check(&signature, reader.sums()).map_err(|what| key_error(file, what))?;
    let is_same = |signed: &Vec<u8>| {
        SshSig::from_pem(signed).is_ok_and(|signed| signed.public_key() == signature.public_key())
    };
    if reader.signatures().iter().any(is_same) {
        return Err(key_error(file, "this key has signed the evidence before".to_owned()));
    }
    let pem = signature.to_pem(LineEnding::LF);
    let pem = pem.map_err(|error| key_error(file, format!("the signature fails: {error}")))?;
    reader.add_signature(pem.as_bytes())?;
    Ok(CheckedSignature { fingerprint: fingerprint(&signature), signer: None })
}

fn new_signature(file: &Path, sums: &[u8]) -> Result<SshSig, EvidenceError> {
    let text = fs::read(file).map_err(EvidenceError::io(file))?;
    let key = PrivateKey::from_openssh(text).map_err(|error| {
        key_error(
            file,
            format!("no OpenSSH private key: {error}; make one with `ssh-keygen -t ed25519`"),
        )
    })?;
    let other_way = "sign SHA256SUMS with `ssh-keygen -Y sign -n powerfill-evidence`, and add the \
                     signature with --signature";
    if key.is_encrypted() {
        return Err(key_error(file, format!("the key has a passphrase; {other_way}")));
    }
    if key.algorithm() != Algorithm::Ed25519 {
        let what = format!("the key is {}, not ed25519", key.algorithm());
        return Err(key_error(file, what));
    }
    let signed = key.sign(NAMESPACE, HashAlg::Sha512, sums);
    signed.map_err(|error| key_error(file, format!("the key cannot sign: {error}; {other_way}")))
}

fn key_error(path: &Path, what: String) -> EvidenceError {
    EvidenceError::Key { path: path.to_owned(), what }
}

/// Reads keys: lines of a public key file (`ssh-ed25519 KEY NAME`) or of OpenSSH's allowed signers
/// (`NAME ssh-ed25519 KEY`).
///
/// # Errors
/// [`EvidenceError::Key`] if a line has no key of the type ed25519, or there is none; the file
/// cannot be read.
pub fn read_signers(path: &Path) -> Result<Vec<Signer>, EvidenceError> {
    let text = fs::read_to_string(path).map_err(EvidenceError::io(path))?;
    let lines = text.lines().map(str::trim).zip(1..);
    let keys = lines.filter(|(line, _)| !line.is_empty() && !line.starts_with('#'));
    let signer = |(line, number): (&str, usize)| {
        let what = "has no public key of the type ed25519, such as ssh-ed25519 AAAA… NAME";
        signer(line).ok_or_else(|| key_error(path, format!("line {number} {what}")))
    };
    let signers = keys.map(signer).collect::<Result<Vec<_>, _>>()?;
    match signers.is_empty() {
        true => Err(key_error(path, "the file has no public key".to_owned())),
        false => Ok(signers),
    }
}

fn signer(line: &str) -> Option<Signer> {
    let (before, key) = line.split_at(line.find("ssh-ed25519 ")?);
    let key = PublicKey::from_openssh(key).ok()?;
    let name = before.split_whitespace().next().unwrap_or_else(|| key.comment()).to_owned();
    Some(Signer { key, name })
}

/// Checks every signature of a file, and that one is by one of the signers.
pub(crate) fn check_signatures(
    reader: &EvidenceReader,
    signers: Option<&[Signer]>,
) -> Result<Vec<CheckedSignature>, EvidenceError> {
    let mut checked = Vec::new();
    for (pem, number) in reader.signatures().iter().zip(1..) {
        let name = signature_part(number);
        let signature = SshSig::from_pem(pem)
            .map_err(|error| EvidenceError::damaged(&name, format!("no SSH signature: {error}")))?;
        check(&signature, reader.sums()).map_err(|what| EvidenceError::damaged(&name, what))?;
        let signer = signers
            .unwrap_or_default()
            .iter()
            .find(|signer| signer.key.key_data() == signature.public_key());
        let signer = signer.map(|signer| signer.name.clone());
        checked.push(CheckedSignature { fingerprint: fingerprint(&signature), signer });
    }
    if signers.is_some() && checked.iter().all(|signature| signature.signer.is_none()) {
        let keys: Vec<&str> = checked.iter().map(|signed| &*signed.fingerprint).collect();
        let what = match keys.is_empty() {
            true => "the evidence is not signed".to_owned(),
            false => {
                format!("it is signed by {}, which is not one of the signers", keys.join(", "))
            }
        };
        return Err(EvidenceError::Unproven(what));
    }
    Ok(checked)
}

/// Checks a signature of the sums.
fn check(signature: &SshSig, sums: &[u8]) -> Result<(), String> {
    if signature.namespace() != NAMESPACE {
        let namespace = signature.namespace();
        return Err(format!("the signature has the namespace {namespace:?}, not {NAMESPACE}"));
    }
    let key = PublicKey::from(signature.public_key().clone());
    key.verify(NAMESPACE, sums, signature).map_err(|error| {
        let fingerprint = fingerprint(signature);
        format!("the signature by {fingerprint} is not one of SHA256SUMS: {error}")
    })
}

fn fingerprint(signature: &SshSig) -> String {
    signature.public_key().fingerprint(HashAlg::Sha256).to_string()
}
