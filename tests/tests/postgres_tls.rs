//! Encrypted connections: the certificate and the name of the server are always verified.

use std::process::Command;

use powerfill_ports::StoreError;
use powerfill_ports::events::EventStore;
use powerfill_postgres::PostgresStore;
use powerfill_tests::postgres::{DedicatedServer, Durability, TestDatabase, url};
use powerfill_tests::store_suite::samples::{candidates, run};

const CERTIFICATE: &str = "[req]\ndistinguished_name = dn\nx509_extensions = v3\nprompt = no\n\
    [dn]\nCN = localhost\n\
    [v3]\nbasicConstraints = CA:FALSE\nsubjectAltName = DNS:localhost, IP:127.0.0.1\n";

/// A server that refuses TCP connections without encryption, and the file of its certificate.
fn start_encrypted() -> (DedicatedServer, String) {
    let server = DedicatedServer::start(Durability::Unsynced);
    let folder = server.folder();
    let (key, certificate) = (folder.join("data/server.key"), folder.join("server.crt"));
    std::fs::write(folder.join("request.cnf"), CERTIFICATE).unwrap();
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
        ])
        .args(["-days", "3650", "-config"])
        .arg(folder.join("request.cnf"))
        .arg("-keyout")
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .output()
        .expect("openssl runs; PostgreSQL's packages depend on it");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(&key, private).unwrap();
    server.chown_to_server(&key);
    server.configure(&format!(
        "ssl = on\nssl_cert_file = '{}'\nlisten_addresses = '127.0.0.1,127.0.0.2'\n",
        certificate.display()
    ));
    let rules = "local all all trust\nhostssl all all 0.0.0.0/0 scram-sha-256\n";
    std::fs::write(folder.join("data/pg_hba.conf"), rules).unwrap();
    server.stop("fast");
    server.start();
    (server, certificate.display().to_string())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_needs_a_trusted_certificate_with_its_name() {
    let (server, certificate) = start_encrypted();
    let place = TestDatabase::of(&server);
    let plain = server.tcp_url(place.name().await);
    let opened = |options: String, host: &'static str| {
        let text = format!("{}?{options}", plain.replace("127.0.0.1", host));
        async move { PostgresStore::open(&url(&text)).await }
    };
    let trusted = format!("sslrootcert={}", certificate.replace('/', "%2F"));
    for mode in ["require", "verify-full"] {
        for host in ["127.0.0.1", "localhost"] {
            let store = opened(format!("sslmode={mode}&{trusted}"), host).await.unwrap();
            let version = store.stream_version(&run(1).stream()).await.unwrap();
            store.append(candidates(run(1), version, 1)).await.unwrap();
        }
        let refusals = [
            // The system does not trust the issuer of the certificate.
            (opened(format!("sslmode={mode}"), "127.0.0.1").await, "certificate"),
            // The certificate has another server name.
            (opened(format!("sslmode={mode}&{trusted}"), "127.0.0.2").await, "certificate"),
            (opened(format!("sslmode={mode}&sslrootcert=no.pem"), "127.0.0.1").await, "no.pem"),
        ];
        for (refused, word) in refusals {
            match refused.unwrap_err() {
                StoreError::Failed(fault) => assert!(fault.to_string().contains(word), "{fault}"),
                other => panic!("{other:?}"),
            }
        }
    }
    // The server refuses a connection without encryption.
    let refused = opened("sslmode=disable".to_owned(), "127.0.0.1").await.unwrap_err();
    assert!(
        matches!(&refused, StoreError::Failed(fault) if fault.to_string().contains("no encryption")),
        "{refused}"
    );
}
