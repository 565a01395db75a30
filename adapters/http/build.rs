//! Compresses what the service answers with unchanged: the OpenAPI document, which a test has
//! written, and the files of its page.

use std::error::Error;
use std::fs::{self, File};
use std::io::{Cursor, Read, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use utoipa_swagger_ui_vendored::SWAGGER_UI_VENDORED;
use zip::ZipArchive;

const DOCUMENT: &str = "../../docs/reference/openapi.json";

/// Files of the page, by their names in the archive after its first folder.
const PAGE_FILES: [&str; 2] = ["dist/swagger-ui-bundle.js", "dist/swagger-ui.css"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed={DOCUMENT}");
    let folder = PathBuf::from(std::env::var("OUT_DIR")?);
    let document = fs::read_to_string(DOCUMENT).map_err(|error| format!("{DOCUMENT}: {error}"))?;
    // Texts of JSON have no line breaks, so this removes the indentation only.
    let document: String = document.lines().map(str::trim_start).collect();
    compress(&folder, "openapi.json", document.as_bytes())?;
    let mut archive = ZipArchive::new(Cursor::new(SWAGGER_UI_VENDORED))?;
    for file in PAGE_FILES {
        let name = archive
            .file_names()
            .filter_map(Result::ok)
            .find(|name| name.split_once('/').is_some_and(|(_, rest)| rest == file))
            .ok_or_else(|| format!("Swagger's archive has no {file}"))?
            .into_owned();
        let mut content = Vec::new();
        archive.by_name(&name)?.read_to_end(&mut content)?;
        compress(&folder, file.trim_start_matches("dist/"), &content)?;
    }
    Ok(())
}

fn compress(folder: &Path, name: &str, content: &[u8]) -> std::io::Result<()> {
    let file = File::create(folder.join(format!("{name}.gz")))?;
    let mut encoder = GzEncoder::new(file, Compression::best());
    encoder.write_all(content)?;
    encoder.finish()?;
    Ok(())
}
