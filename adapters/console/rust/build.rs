//! Compresses the files of `dist` and lists them for `lib.rs`, so that the program has each file
//! once, as gzip, and compresses nothing per request.
//!
//! The package has a folder of its own: cargo reads every file beside a manifest, and those of
//! `node_modules` come and go.

use std::env;
use std::error::Error;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=../dist");
    let dist = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../dist");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let mut files = Vec::new();
    list(&dist, &mut files)?;
    files.sort();
    let mut assets = String::from("&[\n");
    for (number, file) in files.iter().enumerate() {
        let path = file.strip_prefix(&dist)?.to_str().ok_or("a path is not UTF-8")?;
        let path = path.replace('\\', "/");
        let compressed = out.join(format!("{number}.gz"));
        let mut encoder = GzEncoder::new(File::create(&compressed)?, Compression::best());
        encoder.write_all(&fs::read(file)?)?;
        encoder.finish()?;
        writeln!(
            assets,
            "Asset {{ path: {path:?}, media_type: {:?}, gzip: include_bytes!({compressed:?}) }},",
            media_type(&path)?,
        )?;
    }
    assets.push(']');
    fs::write(out.join("assets.rs"), assets)?;
    Ok(())
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        match path.is_dir() {
            true => list(&path, files)?,
            false => files.push(path),
        }
    }
    Ok(())
}

fn media_type(path: &str) -> Result<&'static str, String> {
    Ok(match path.rsplit('.').next().unwrap_or_default() {
        "css" => "text/css; charset=utf-8",
        "html" => "text/html; charset=utf-8",
        "ico" => "image/x-icon",
        "js" => "text/javascript; charset=utf-8",
        "json" => "application/json",
        "png" => "image/png",
        "svg" => "image/svg+xml",
        "txt" => "text/plain; charset=utf-8",
        "webmanifest" => "application/manifest+json",
        "woff2" => "font/woff2",
        _ => return Err(format!("{path}: build.rs has no media type for this file")),
    })
}
