//! What is refused, with which words, and what wins over what.

use std::path::Path;

use crate::{Alpn, Error, Flag, Loaded, MissingContent, Setting, Sources, load, reference};

/// Loads a file of that text with that environment; what is refused, with the file called `berth.yaml`.
fn loaded(
    yaml: &str,
    environment: &[(&str, &str)],
    flags: &[(&'static str, &'static str, &'static str, &str)],
) -> Result<Loaded, String> {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("berth.yaml");
    std::fs::write(&file, yaml).unwrap();
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let mut environment: Vec<_> = environment.iter().map(own).collect();
    environment.push(("HOME".to_owned(), "/home/ada".to_owned()));
    let flags =
        flags.iter().map(|&(name, section, key, value)| Flag { name, section, key, value: value.to_owned() });
    let sources = Sources { file: Some(file), environment, flags: flags.collect() };
    let prefix = format!("{}/", directory.path().display());
    load(&sources).map_err(|error| error.to_string().replace(&prefix, ""))
}

fn refused(yaml: &str) -> String {
    loaded(yaml, &[], &[]).expect_err("this must be refused")
}

fn refused_environment(environment: &[(&str, &str)]) -> String {
    loaded("", environment, &[]).expect_err("this must be refused")
}

#[test]
fn a_wrong_file_is_refused_with_its_place_and_what_to_write() {
    let cases = [
        "sever:\n  listen: 127.0.0.1:5000\n",
        "frobnication:\n  x: 1\n",
        "listen: 127.0.0.1:5000\n",
        "server:\n  listne: 127.0.0.1:5000\n",
        "server:\n  directory: /srv\n",
        "server:\n  colour: red\n",
        "server:\n  listen: 5000\n",
        "server:\n  listen: localhost\n",
        "server:\n  listen: [1, 2]\n",
        "server:\n  listen:\n",
        "server: 5000\n",
        "server:\n  grace: 30\n",
        "server:\n  max_connections: many\n",
        "server:\n  max_connections: '5'\n",
        "server:\n  max_connections: -1\n",
        "log:\n  access: 'yes'\n",
        "log:\n  level: wran\n",
        "log:\n  level: 3\n",
        "memory:\n  buffers: 64 megs\n",
        "registry:\n  missing_content: childern\n",
        "tls:\n  alpn: [h2, h3]\n",
        "tls:\n  alpn: [h2, 3]\n",
        "data:\n  directory: true\n",
        "- server\n",
        "server:\n  listen: 127.0.0.1:5000\n  listen: 127.0.0.1:5001\n",
        "server:\n  listen: \"127.0.0.1\n",
        "server:\n\tlisten: x\n",
        "server: {}\n---\nserver: {}\n",
    ];
    let told: Vec<String> = cases.iter().map(|yaml| format!("{yaml}→ {}\n", refused(yaml))).collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn impossible_combinations_are_refused() {
    let cases = [
        "tls:\n  certificate: /a.pem\n",
        "tls:\n  key: /a.pem\n",
        "server:\n  metrics_listen: 127.0.0.1:5000\n",
        "server:\n  header_limit: 1KiB\n  uri_limit: 900\n  read_buffer: 512\n",
        "server:\n  idle_timeout: 10ms\n  max_uploads: 0\n",
        "database:\n  url: mysql://root:secret@host/db\n  pool: 0\n",
        "registry:\n  manifest_limit: 1GiB\n  inline_limit: 4MiB\n  upload_expiry: 1s\n  takeover_after: 0\n  checkpoint_every: 1\n",
        "cache:\n  memory: 5\n  tag_ttl: 2d\nmemory:\n  buffers: 1MiB\n",
    ];
    let told: Vec<String> = cases.iter().map(|yaml| format!("{yaml}→ {}\n", refused(yaml))).collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn a_combination_is_told_where_it_was_set() {
    let cases = [
        "server:\n  header_limit: 6KiB\n",
        "server:\n  header_limit: 512KiB\n",
        "server:\n  uri_limit: 16KiB\n  header_limit: 8KiB\n",
        "server:\n  read_buffer: 8KiB\n",
        "registry:\n  manifest_limit: 64MiB\n",
        "memory:\n  buffers: 16MiB\nregistry:\n  manifest_limit: 32MiB\n",
        "database:\n  url: postgres://db/berth\n",
        "access:\n  login_delay: 2m\n",
        "access:\n  longest_login_delay: 500ms\n",
        "access:\n  login_delay: 0s\n",
    ];
    let told: Vec<String> = cases.iter().map(|yaml| format!("{yaml}→ {}\n", refused(yaml))).collect();
    insta::assert_snapshot!(told.join("\n"));
    let environment = [("BERTH_SERVER__HEADER_LIMIT", "6KiB")];
    let told = refused_environment(&environment);
    assert!(told.starts_with("environment variable BERTH_SERVER__HEADER_LIMIT: "), "{told}");
}

#[test]
fn what_a_combination_is_told_to_write_is_taken() {
    for (yaml, remedy) in [
        ("server:\n  header_limit: 6KiB\n", "server:\n  header_limit: 8KiB\n"),
        ("server:\n  header_limit: 512KiB\n", "server:\n  header_limit: 256KiB\n"),
        ("server:\n  read_buffer: 8KiB\n", "server:\n  read_buffer: 16KiB\n"),
        ("registry:\n  manifest_limit: 64MiB\n", "registry:\n  manifest_limit: 50MiB\n"),
        (
            "memory:\n  buffers: 16MiB\nregistry:\n  manifest_limit: 32MiB\n",
            "memory:\n  buffers: 62MiB\nregistry:\n  manifest_limit: 32MiB\n",
        ),
        ("access:\n  login_delay: 2m\n", "access:\n  login_delay: 60s\n"),
    ] {
        let (told, value) = (refused(yaml), remedy.trim_end().rsplit(' ').next().unwrap());
        assert!(told.contains(value) || told.contains("62MiB"), "{told}");
        loaded(remedy, &[], &[]).unwrap_or_else(|refused| panic!("{remedy}{refused}"));
    }
}

#[test]
fn a_wrong_environment_is_refused() {
    let cases: [&[(&str, &str)]; 7] = [
        &[("BERTH_SERVER__LISTN", "127.0.0.1:5000")],
        &[("BERTH_WHAT__EVER", "x")],
        &[("BERTH_SERVER__LISTEN", "here")],
        &[("BERTH_DATA", "/a"), ("BERTH_DATA__DIRECTORY", "/b")],
        &[("BERTH_DATA__DIRECTORY_FILE", "/a")],
        &[("BERTH_DATABASE__URL_FILE", "/does/not/exist")],
        &[("BERTH_TLS__KEY", "/key.pem")],
    ];
    let told: Vec<String> =
        cases.iter().map(|set| format!("{set:?}\n→ {}\n", refused_environment(set))).collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn foreign_variables_are_only_warned_of() {
    let foreign = [
        ("BERTH_PORT", "tcp://10.0.0.1:5000"),
        ("BERTH_SERVICE_HOST", "10.0.0.1"),
        ("BERTH_DATA_FILE", "/a"),
    ];
    let loaded = loaded("", &foreign, &[]).unwrap();
    insta::assert_snapshot!(loaded.warnings.join("\n"), @r"
    environment variable BERTH_DATA_FILE: this sets nothing; settings are named BERTH_<SECTION>__<KEY>
    environment variable BERTH_PORT: this sets nothing; settings are named BERTH_<SECTION>__<KEY>
    environment variable BERTH_SERVICE_HOST: this sets nothing; settings are named BERTH_<SECTION>__<KEY>
    ");
}

#[test]
fn flags_win_over_the_environment_which_wins_over_the_file() {
    let yaml = "server:\n  listen: 127.0.0.1:1\n  grace: 5s\n  drain: 1s\nregistry:\n  missing_content: any\ntls:\n  alpn: [h2]\n";
    let environment = [("BERTH_LISTEN", "127.0.0.1:2"), ("BERTH_SERVER__GRACE", "6s")];
    let loaded = loaded(yaml, &environment, &[("--listen", "server", "listen", "127.0.0.1:3")]).unwrap();
    assert_eq!(loaded.config.server.listen.port(), 3);
    assert_eq!(loaded.config.server.grace.as_secs(), 6);
    assert_eq!(loaded.config.server.drain.as_secs(), 1);
    assert_eq!(loaded.config.registry.missing_content, MissingContent::Any);
    assert_eq!(loaded.config.data.directory, Path::new("/home/ada/.local/share/berth"));
    assert_eq!(loaded.config.tls.alpn.protocols().len(), 1);
    let origin = |section, key| loaded.origin(Setting::find(section, key).unwrap()).to_string();
    assert_eq!(origin("server", "listen"), "flag --listen");
    assert_eq!(origin("server", "grace"), "environment variable BERTH_SERVER__GRACE");
    assert!(origin("server", "drain").ends_with("berth.yaml:4:10"), "{}", origin("server", "drain"));
}

#[test]
fn the_data_directory_follows_xdg() {
    let directory =
        |environment: &[(&str, &str)]| loaded("", environment, &[]).unwrap().config.data.directory;
    assert_eq!(directory(&[("XDG_DATA_HOME", "/xdg")]), Path::new("/xdg/berth"));
    assert_eq!(directory(&[("XDG_DATA_HOME", "relative")]), Path::new("/home/ada/.local/share/berth"));
    assert_eq!(directory(&[("BERTH_DATA", "/srv")]), Path::new("/srv"));
    let shown = loaded("", &[("XDG_DATA_HOME", "/xdg")], &[]).unwrap().show();
    assert!(shown.contains("# environment variable XDG_DATA_HOME"), "{shown}");
    let nowhere = load(&Sources::default()).unwrap_err();
    insta::assert_snapshot!(nowhere, @"default: data.directory: no directory is known, because neither XDG_DATA_HOME nor HOME is set; name one here, with --data or with BERTH_DATA");
}

#[test]
fn what_is_shown_can_be_loaded_again_and_secrets_are_not_in_it() {
    let directory = tempfile::tempdir().unwrap();
    let secret = directory.path().join("url");
    std::fs::write(&secret, "postgres://berth:hush@db/berth\n").unwrap();
    let environment = [
        ("BERTH_DATABASE__URL_FILE", secret.to_str().unwrap()),
        ("BERTH_ACCESS__SECRET_KEY", "hush, hush and hush"),
    ];
    let loaded_once = loaded("data:\n  directory: '/srv/two words'\n", &environment, &[]).unwrap();
    assert_eq!(loaded_once.config.database.url.expose(), "postgres://berth:hush@db/berth");
    let shown = loaded_once.show();
    assert!(!shown.contains("hush") && !format!("{loaded_once:?}").contains("hush"));
    let again = shown.replace("\"********\"", "postgres://berth@db");
    let loaded_again = loaded(&again, &[], &[]).unwrap();
    assert_eq!(loaded_again.config.data.directory, Path::new("/srv/two words"));
    assert_eq!(loaded_again.config.tls.alpn, loaded_once.config.tls.alpn);
    let without_comments = |text: &str| {
        text.lines().map(|line| line.split(" # ").next().unwrap().trim_end().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(without_comments(&loaded_again.show()), without_comments(&shown));
    insta::assert_snapshot!(loaded("", &[], &[]).unwrap().show());
}

#[test]
fn an_unreadable_file_is_named() {
    let sources = Sources { file: Some("/does/not/exist.yaml".into()), ..Sources::default() };
    assert!(matches!(load(&sources), Err(Error::Unreadable { .. })));
}

#[test]
fn every_default_survives_being_written_and_read() {
    let defaults = crate::Config::default();
    for setting in Setting::all() {
        let shown = (setting.show)(&defaults);
        let mut config = crate::Config::default();
        (setting.set)(&mut config, &shown)
            .unwrap_or_else(|| panic!("{}.{}: {shown}", setting.section, setting.key));
        assert_eq!((setting.show)(&config), shown);
    }
    assert_eq!(
        format!("{:?}", defaults.tls.alpn),
        format!("{:?}", <Alpn as crate::value::Value>::parse("http/1.1,h2").unwrap())
    );
}

#[test]
fn the_reference_page_is_the_one_in_the_repository() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/configuration.md");
    let page = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(page == reference(), "docs/configuration.md is out of date: run `cargo xtask generate`");
}
