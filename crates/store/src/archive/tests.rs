use std::fs;
use std::io::Write;

use ::tar::{Builder, EntryType, Header};
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder};
use rawzip::path::EntryPath;
use rawzip::{CompressionMethod, ZipArchiveWriter};

use super::*;
use crate::files::{POLICIES, TESTS};

/// An entry to be: its name, what it is, its content (of a link, where it leads).
type Entry<'e> = (&'e str, What, &'e str);

#[derive(Clone, Copy, PartialEq)]
enum What {
    File,
    Directory,
    Link,
    HardLink,
    Fifo,
    Stored,
    Encrypted,
    Unknown,
}
use What::{Directory, Encrypted, Fifo, File as Plain, HardLink, Link, Stored, Unknown};

fn tar(entries: &[Entry<'_>]) -> Vec<u8> {
    let mut archive = Builder::new(Vec::new());
    for (name, what, content) in entries {
        let mut header = Header::new_gnu();
        let kind = match what {
            Directory => EntryType::Directory,
            Link => EntryType::Symlink,
            HardLink => EntryType::Link,
            Fifo => EntryType::Fifo,
            _ => EntryType::Regular,
        };
        header.set_entry_type(kind);
        // The builder refuses names that an attacker does not.
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        if matches!(what, Link | HardLink) {
            header.set_link_name(content).unwrap();
        }
        let content = if kind == EntryType::Regular { content.as_bytes() } else { b"" };
        header.set_size(content.len() as u64);
        header.set_cksum();
        archive.append(&header, content).unwrap();
    }
    archive.into_inner().unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zip(entries: &[Entry<'_>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut archive = ZipArchiveWriter::new(&mut bytes);
    for (name, what, content) in entries {
        let path = EntryPath::verbatim(name.as_bytes());
        if *what == Directory {
            archive.new_dir(path).create().unwrap();
            continue;
        }
        let method = match what {
            Stored | Link => CompressionMethod::STORE,
            Unknown => CompressionMethod::ZSTD,
            _ => CompressionMethod::DEFLATE,
        };
        let mode = if *what == Link { 0o120_777 } else { 0o100_644 };
        let (mut entry, config) = archive
            .new_file(path)
            .compression_method(method)
            .unix_permissions(mode)
            .encrypted(*what == Encrypted)
            .start()
            .unwrap();
        let descriptor = if method == CompressionMethod::STORE {
            let mut writer = config.wrap(&mut entry);
            writer.write_all(content.as_bytes()).unwrap();
            writer.finish().unwrap().1
        } else {
            let mut writer = config.wrap(DeflateEncoder::new(&mut entry, Compression::default()));
            writer.write_all(content.as_bytes()).unwrap();
            let (encoder, descriptor) = writer.finish().unwrap();
            encoder.finish().unwrap();
            descriptor
        };
        entry.finish(descriptor).unwrap();
    }
    archive.finish().unwrap();
    bytes
}

/// The names and texts that are read of an archive, or what is wrong with it.
fn read_as(name: &str, bytes: &[u8], limits: &Limits, selection: &Selection) -> Result<Vec<String>, String> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(name);
    fs::write(&path, bytes).unwrap();
    let mut sources = Sources::default();
    let result = read(&path, Format::of(&path).unwrap(), limits, selection, &mut sources);
    let sources = result.and_then(|()| sources.finish()).map_err(|error| {
        let text = error.to_string();
        text.split_once("`: ").map_or(text.clone(), |(_, fault)| fault.to_owned())
    })?;
    Ok(sources.iter().map(|source| format!("{}={}", source.name(), source.text())).collect())
}

/// The same archive in each format.
fn in_each_format(entries: &[Entry<'_>]) -> [(&'static str, Vec<u8>); 4] {
    let tar = tar(entries);
    let gz = gzip(&tar);
    [("a.zip", zip(entries)), ("a.tar", tar), ("a.tar.gz", gz.clone()), ("a.tgz", gz)]
}

#[test]
fn archives_are_known_by_their_names() {
    for (name, format) in [
        ("a.zip", Some(Format::Zip)),
        ("b/a.b.tar", Some(Format::Tar)),
        ("a.tar.gz", Some(Format::TarGz)),
        ("a.tgz", Some(Format::TarGz)),
        ("a.ZIP", None),
        ("a.gz", None),
        ("a.tar.xz", None),
        ("zip", None),
        ("a.zip/..", None),
    ] {
        assert_eq!(Format::of(Path::new(name)), format, "{name}");
    }
}

#[test]
fn what_is_wanted_is_read_wherever_it_lies() {
    let entries = [
        ("./", Directory, ""),
        ("./b.yaml", Plain, "b"),
        ("a//./z.yml", Stored, "z"),
        ("README.md", Plain, "read"),
        (".hidden/x.yaml", Plain, "hidden"),
        ("_schemas/s.json", Plain, "{}"),
        ("b_test.yaml", Plain, "t"),
        ("testdata/principals.yaml", Plain, "p"),
        ("link.md", Link, "README.md"),
    ];
    for (name, bytes) in in_each_format(&entries) {
        let limits = Limits::default();
        let policies = read_as(name, &bytes, &limits, &POLICIES);
        assert_eq!(policies.unwrap(), ["_schemas/s.json={}", "a/z.yml=z", "b.yaml=b"], "{name}");
        let tests = read_as(name, &bytes, &limits, &TESTS);
        assert_eq!(tests.unwrap(), ["b_test.yaml=t", "testdata/principals.yaml=p"], "{name}");
    }
}

#[test]
fn what_is_refused_of_any_archive() {
    let deep = format!("{}x.yaml", "d/".repeat(3));
    let long = "a".repeat(200);
    let limits = Limits { packed: 10_000, unpacked: 20_000, entries: 4, depth: 3 };
    let file = |name| [("ok.yaml", Plain, "ok"), (name, Plain, "x")];
    let cases: [(&[Entry<'_>], &str); 9] = [
        (&file("../x.yaml"), "\"../x.yaml\" is no path within the archive"),
        (&file("a/../../x.yaml"), "\"a/../../x.yaml\" is no path within the archive"),
        (&file("/x.yaml"), "\"/x.yaml\" is no path within the archive"),
        (&file("/README.md"), "\"/README.md\" is no path within the archive"),
        (&file("a\\x.yaml"), r#""a\\x.yaml" is no path within the archive"#),
        (&file(&deep), "\"d/d/d/x.yaml\" is nested deeper than 3 levels"),
        (&[("a", Plain, ""); 5], "it has more than 4 entries"),
        (
            &[("x.yaml", Link, "/etc/passwd")],
            "\"x.yaml\" is a link or a special file; put the file itself into the archive",
        ),
        (&[("a.yaml", Plain, &long.repeat(101))], "more than 20000 bytes come out of it"),
    ];
    for (entries, problem) in cases {
        for (name, bytes) in in_each_format(entries) {
            let limits = if name == "a.tar" { Limits { packed: 100_000, ..limits } } else { limits };
            assert_eq!(read_as(name, &bytes, &limits, &POLICIES).unwrap_err(), problem, "{name}");
        }
    }
}

#[test]
fn what_is_refused_of_one_format() {
    let limits = Limits::default();
    let other = "is a link or a special file; put the file itself into the archive";
    for (name, bytes, problem) in [
        ("a.tar", tar(&[("a.yaml", HardLink, "b.md")]), &*format!("\"a.yaml\" {other}")),
        ("a.tar", tar(&[("a.yaml", Fifo, "")]), &*format!("\"a.yaml\" {other}")),
        ("a.zip", zip(&[("a.yaml", Encrypted, "x")]), "\"a.yaml\" is encrypted"),
        (
            "a.zip",
            zip(&[("a.yaml", Unknown, "x")]),
            "\"a.yaml\" is compressed in another way than deflate; make the archive anew",
        ),
        ("a.zip", zip(&[("a.yaml", Plain, "x"), ("./a.yaml", Plain, "y")]), "\"a.yaml\" is in it twice"),
    ] {
        assert_eq!(read_as(name, &bytes, &limits, &POLICIES).unwrap_err(), problem);
    }
    // Of a file that was added to a tar archive once more, the last counts.
    let again = tar(&[("a.yaml", Plain, "x"), ("a.yaml", Plain, "y")]);
    assert_eq!(read_as("a.tar", &again, &limits, &POLICIES).unwrap(), ["a.yaml=y"]);
}

#[test]
fn archives_that_are_broken_say_so() {
    let limits = Limits::default();
    for (name, whole) in in_each_format(&[("a.yaml", Plain, &"text ".repeat(500))]) {
        for bytes in [b"no archive at all".as_slice(), &whole[..whole.len() / 3]] {
            let error = read_as(name, bytes, &limits, &POLICIES).unwrap_err();
            assert!(error.starts_with("it is broken: "), "{name}: {error}");
        }
    }
    for (name, bytes, ending) in [
        ("a.tar", zip(&[("a.yaml", Plain, "")]), "zip"),
        ("a.zip", gzip(b""), "tar.gz"),
        ("a.tgz", tar(&[("a.yaml", Plain, "")]), "tar"),
    ] {
        let problem = format!("its name should end in .{ending}, for that is what it is");
        assert_eq!(read_as(name, &bytes, &limits, &POLICIES), Err(problem));
    }
    let mut changed = zip(&[("a.yaml", Stored, "text")]);
    let at = changed.windows(4).position(|window| window == b"text").unwrap();
    changed[at] = b'n';
    let error = read_as("a.zip", &changed, &limits, &POLICIES).unwrap_err();
    assert!(error.starts_with("it is broken: "), "{error}");
}

#[test]
fn a_bomb_stops_at_the_limit() {
    let zeros = gzip(&vec![0; 5 << 20]);
    let limits = Limits { packed: 1 << 20, unpacked: 1 << 20, ..Limits::default() };
    let mut bomb = tar(&[("a.bin", Plain, &"0".repeat(4 << 20))]);
    bomb.truncate(bomb.len() - 1024);
    let errors = [zeros, gzip(&bomb)].map(|bytes| read_as("a.tgz", &bytes, &limits, &POLICIES));
    assert_eq!(errors[1], Err("more than 1048576 bytes come out of it".to_owned()));
    // Nothing but zeros is the end of a tar archive.
    assert_eq!(errors[0], Ok(Vec::new()));
    let long = read_as("a.zip", &vec![0; (1 << 20) + 1], &limits, &POLICIES);
    assert_eq!(long, Err("it has more than 1048576 bytes".to_owned()));
    let large = zip(&[("a.yaml", Plain, &" ".repeat((4 << 20) + 1))]);
    let message = "a.yaml: a file of policies, schemas or tests may have 4194304 bytes, not more\n";
    assert_eq!(read_as("a.zip", &large, &Limits::default(), &POLICIES), Err(message.to_owned()));
}
