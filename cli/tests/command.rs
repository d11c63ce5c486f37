//! The command as a person or a machine meets it.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use procession::layout::Header;
use procession::{Array, Handle, RawArray, RawValue, TypeCode, Value};
use serde_json::Value as Json;
use std::fs::File;
use std::io::Read;
use std::mem::offset_of;
use std::os::unix::fs::FileExt;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

fn procession(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_procession")).args(arguments).output().expect("it starts")
}

fn lines(output: &Output) -> Vec<Json> {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"))).collect()
}

#[test]
fn verify_answers_a_machine() {
    let output = procession(&["verify", "L5", "V7", "--json"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(output.stderr.is_empty(), "no progress where there is no terminal");
    let lines = lines(&output);
    let [first, second, summary] = &lines[..] else { panic!("{lines:?}") };
    for (line, claim) in [(first, "L5"), (second, "V7")] {
        assert_eq!(line["claim"], claim);
        assert_eq!(line["verdict"], "holds");
        assert!(line["statement"].as_str().unwrap().len() > 20);
        for evidence in line["evidence"].as_array().unwrap() {
            for (key, right) in [("scenario", Json::is_string as fn(&Json) -> bool), ("world", Json::is_string)] {
                assert!(right(&evidence[key]), "{key} in {evidence}");
            }
            assert!(evidence["result"].is_string() && evidence["executions"].is_u64() && evidence["seconds"].is_f64());
        }
    }
    assert_eq!(summary["summary"]["holds"], 2);
}

#[test]
fn verify_tells_a_person() {
    let output = procession(&["verify", "L5", "--world", "loom"]);
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8(output.stdout).unwrap();
    for word in ["claim", "verdict", "bound", "executions", "L5", "holds", "loom", "exhausted", "1 of 1 claims hold"] {
        assert!(text.contains(word), "{word} is missing:\n{text}");
    }
    assert!(!text.contains('\u{1b}'), "colours where there is no terminal");
}

#[test]
fn wrong_usage_is_told_and_is_2() {
    for (arguments, word) in [
        (&["verify", "Z9"][..], "Z9"),
        (&["verify", "--world", "mars"], "mars"),
        (&["fly"], "fly"),
        (&["race", "--roles", "0"], "roles"),
        (&["stat"], "NAME"),
    ] {
        let output = procession(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains(word), "{arguments:?} said {said}");
    }
}

/// Neither a disk that is full nor a reader that has gone is a panic.
#[test]
fn what_cannot_be_written_is_an_error() {
    for arguments in [&["types"][..], &["claims"], &["types", "--json"]] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_procession")).args(arguments).stdout(full).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), said.contains("panicked")), (Some(1), false), "{arguments:?} said {said}");
    }
}

/// Nothing put to the test is not "holds".
#[test]
fn nothing_verified_is_unknown() {
    assert_eq!(procession(&["verify", "M2", "--world", "loom"]).status.code(), Some(3));
}

#[test]
fn claims_are_listed() {
    let output = procession(&["claims", "--json"]);
    assert_eq!(output.status.code(), Some(0));
    let lines = lines(&output);
    assert_eq!(lines.len(), procession_model::claims::claims().len());
    assert!(lines.iter().all(|line| !line["evidence"].as_array().unwrap().is_empty()));
}

#[test]
fn race_shows_what_the_lock_is_for() {
    let output = procession(&["race", "--json", "--increments", "200000"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let lines = lines(&output);
    let of = |world: &str, form: &str| {
        lines.iter().find(|line| line["world"] == world && line["form"] == form).unwrap_or_else(|| panic!("{lines:?}"))
    };
    assert_eq!(of("loom-rmw", "unlocked")["outcomes"], serde_json::json!([1, 2]));
    assert!(of("loom-rmw", "unlocked")["story"].as_str().unwrap().contains("raw.set"));
    assert!(of("processes", "unlocked")["lost"].as_u64().unwrap() > 0);
    for form in ["locked", "update", "fetch_add"] {
        assert_eq!(of("loom-rmw", form)["outcomes"], serde_json::json!([2]));
        assert_eq!(of("processes", form)["lost"], 0);
        assert_eq!(of("processes", form)["outcomes"], serde_json::json!([400_000]));
    }
    assert_eq!(lines.last().unwrap()["tearing"]["torn_locked"], 0);
}

#[test]
fn explore_shows_every_state() {
    let output = procession(&["explore", "lock-lock-twice", "--json"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let line = &lines(&output)[0];
    assert_eq!((&line["result"], &line["verdict"]), (&"exhausted".into(), &"holds".into()));
    let number = |what: &str| line[what].as_u64().unwrap();
    assert!(number("states") > 1000 && number("transitions") > number("states") && number("kill_transitions") > 100);
    let more = procession(&["explore", "lock-lock-twice", "--kills", "2", "--memory", "tso", "--json"]);
    assert!(lines(&more)[0]["states"].as_u64().unwrap() > number("states"));
    let shown = procession(&["explore", "raw-plus-plus"]);
    assert_eq!(shown.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&shown.stdout).contains("raw.set := 1"));
    let stopped = procession(&["explore", "lock-x4", "--limit", "0"]);
    assert_eq!(stopped.status.code(), Some(3), "{stopped:?}");
    assert_eq!(procession(&["explore", "no-such-scenario"]).status.code(), Some(2));
    let listed = procession(&["explore", "--list"]);
    assert!(String::from_utf8_lossy(&listed.stdout).lines().any(|name| name == "lock-x4"));
}

#[test]
fn stat_shows_a_region() {
    let name = format!("stat-{}", std::process::id());
    let value = Value::create(&name, 41i32).unwrap();
    value.set(42).unwrap();
    let output = procession(&["stat", &name, "--json"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let shown = &lines(&output)[0];
    assert_eq!((&shown["kind"], &shown["value"], &shown["lock"]), (&"Value".into(), &"42".into(), &"free".into()));
    assert_eq!(shown["peers_alive"], 1);
    let guard = value.lock().unwrap();
    let shown = String::from_utf8(procession(&["stat", &name]).stdout).unwrap();
    assert!(shown.contains("held by peer 1"), "{shown}");
    drop(guard);
    drop(value);
    let output = procession(&["stat", &name]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains(&name), "the error names the region");
}

/// What a person is shown of a region.
fn shown(name: &str) -> String {
    let output = procession(&["stat", name]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// What a machine is shown of a region.
fn told(name: &str) -> Json {
    let output = procession(&["stat", name, "--json"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    lines(&output).remove(0)
}

/// The row's words: a long one goes on in the lines that follow, which begin with no title.
fn row(text: &str, title: &str) -> String {
    let mut lines = text.lines().skip_while(|line| line.split_whitespace().next() != Some(title));
    let first = lines.next().unwrap_or_else(|| panic!("no {title} in\n{text}")).trim_start().trim_start_matches(title);
    let rest = lines.take_while(|line| line.starts_with("   "));
    std::iter::once(first).chain(rest).flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ")
}

#[test]
fn stat_shows_an_array() {
    let name = format!("stat-array-{}", std::process::id());
    let elements: Vec<i64> = (0..2000).map(|index| i64::MIN + index).collect();
    let array = Array::create(&name, &elements).unwrap();
    let guard = array.lock().unwrap(); // nobody waits for it
    let text = shown(&name);
    assert_eq!((&*row(&text, "code"), &*row(&text, "length")), ("q (long long)", "2000"));
    let first: Vec<String> = elements[..16].iter().map(i64::to_string).collect();
    assert_eq!(row(&text, "elements"), format!("{} ... 1984 more", first.join(" ")));
    assert!(text.lines().all(|line| line.len() <= 80), "{text}");
    let told = told(&name);
    assert_eq!((&told["code"], &told["c_type"]), (&"q".into(), &"long long".into()));
    assert_eq!((&told["length"], &told["value"]), (&2000.into(), &Json::Null));
    assert_eq!(told["elements"].as_array().unwrap().len(), 512, "as many as 4096 bytes hold");
    assert_eq!(told["elements"][511], elements[511].to_string());
    drop(guard);
}

#[test]
fn stat_shows_contents_of_every_kind() {
    let name = |what: &str| format!("stat-{what}-{}", std::process::id());
    let raw = RawArray::create(&name("raw-array"), &['a', ' ', '\u{202e}']).unwrap();
    assert_eq!(row(&shown(&name("raw-array")), "elements"), "a U+0020 U+202E");
    assert_eq!(told(&name("raw-array"))["elements"], serde_json::json!(["a", "U+0020", "U+202E"]));
    let value = RawValue::create(&name("raw-value"), 2.0f32).unwrap();
    let told_of_value = told(&name("raw-value"));
    assert_eq!((&told_of_value["value"], &told_of_value["elements"]), (&"2.0".into(), &Json::Null));
    assert_eq!((&told_of_value["length"], &told_of_value["code"]), (&1.into(), &"f".into()));
    // Without a code: 128 bits, a user's type, and more bytes than are looked at.
    let wide = Value::create(&name("wide"), u128::MAX).unwrap();
    assert_eq!(row(&shown(&name("wide")), "value"), u128::MAX.to_string());
    assert_eq!(told(&name("wide"))["code"], Json::Null);
    let pairs = Array::create(&name("pairs"), &[[1u8, 2], [3, 255]]).unwrap();
    assert_eq!(row(&shown(&name("pairs")), "elements"), "0102 03ff");
    assert_eq!(told(&name("pairs"))["elements"], serde_json::json!([null, null]));
    let large = Array::create(&name("large"), &[[0u8; 5000]; 3]).unwrap();
    assert_eq!(row(&shown(&name("large")), "elements"), "... 3 more");
    let long = Value::create(&name("long"), [7u8; 5000]).unwrap();
    assert_eq!(row(&shown(&name("long")), "bytes"), format!("{}...", "07".repeat(32)));
    drop((raw, value, wide, pairs, large, long));
}

/// Another process, which is killed with one of two elements written. As a test of its own it does nothing.
#[test]
fn dies_inside() {
    if let Ok(name) = std::env::var("PROCESSION_DIES_INSIDE") {
        let array = Array::<u16>::open(&name).unwrap();
        let guard = array.lock().unwrap();
        guard.set(0, 7).unwrap();
        kill(Pid::this(), Signal::SIGKILL).unwrap();
        drop(guard);
    }
}

#[test]
fn stat_shows_what_a_killed_writer_left() {
    let name = format!("stat-killed-{}", std::process::id());
    let array = Array::create(&name, &[1u16, 1]).unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    let output = command.args(["--exact", "dies_inside"]).env("PROCESSION_DIES_INSIDE", &name).output().unwrap();
    assert_eq!(output.status.signal(), Some(Signal::SIGKILL as i32), "{output:?}");
    let text = shown(&name);
    assert_eq!((&*row(&text, "elements"), &*row(&text, "lock")), ("7 1", "held by peer 2, which is dead"));
    assert!(array.snapshot().is_err(), "it was told to nobody: a look is no use of the lock");
    assert_eq!(row(&shown(&name), "lock"), "free; a death waits to be told");
}

/// A file in the place of a region is told from one.
#[test]
fn stat_of_a_foreign_file_is_an_error() {
    let name = format!("stat-foreign-{}", std::process::id());
    let path = format!("/dev/shm/procession.{name}");
    for bytes in [&b""[..], b"not a region", &[0xff; 8192]] {
        std::fs::write(&path, bytes).unwrap();
        let output = procession(&["stat", &name]);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{output:?}");
        assert!(String::from_utf8(output.stderr).unwrap().starts_with("error: "));
    }
    std::fs::remove_file(&path).unwrap();
}

/// Whatever a broken process wrote of the type and the length, a look ends with an answer.
#[test]
fn stat_believes_no_header() {
    let name = format!("stat-broken-{}", std::process::id());
    let array = Array::create(&name, &[true, false]).unwrap();
    let file = File::options().write(true).open(format!("/dev/shm/procession.{name}")).unwrap();
    let patch = |offset: usize, number: u64| file.write_all_at(&number.to_ne_bytes(), offset as u64).unwrap();
    for size in [0, 3, 5000, 1 << 63, u64::MAX] {
        for length in [0, 1, 5, u64::MAX] {
            patch(offset_of!(Header, type_size), size);
            patch(offset_of!(Header, length), length);
            assert_eq!(row(&shown(&name), "kind"), "Array");
            assert_eq!(told(&name)["length"], length, "{size} {length}");
        }
    }
    drop(array);
}

#[test]
fn types_are_listed() {
    let output = procession(&["types"]);
    assert_eq!((output.status.code(), String::from_utf8(output.stdout).unwrap()), (Some(0), TypeCode::table()));
    let lines = lines(&procession(&["types", "--json"]));
    assert_eq!(lines.len(), TypeCode::ALL.len());
    let row = serde_json::json!({ "code": "h", "c_type": "short", "rust_type": "i16", "bytes": 2, "zero": "0" });
    assert!(lines.contains(&row), "{lines:?}");
}

#[test]
fn sweep_leaves_alone_what_is_in_use() {
    let name = format!("sweep-{}", std::process::id());
    let value = Value::create(&name, 1u8).unwrap();
    let output = procession(&["sweep", "--json"]);
    assert!(lines(&output).iter().any(|line| line["name"] == name && line["removed"] == false), "{output:?}");
    assert_eq!(Value::<u8>::open(&name).unwrap().get().unwrap(), value.get().unwrap());
}

/// Ctrl-C in the middle: it ends soon, with 130, and leaves no child and no name.
#[test]
fn ctrl_c_leaves_nothing_behind() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_procession"))
        .args(["verify", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let pid = Pid::from_raw(child.id().cast_signed());
    // In the middle: it has started its first helper.
    let children = || {
        let tasks = format!("/proc/{pid}/task");
        let of = |task: std::fs::DirEntry| std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
        std::fs::read_dir(tasks).into_iter().flatten().flatten().map(of).collect::<String>()
    };
    let until = Instant::now() + Duration::from_secs(60);
    let mut seen = String::new();
    while seen.is_empty() && Instant::now() < until && child.try_wait().unwrap().is_none() {
        seen = children();
        std::thread::yield_now();
    }
    assert!(!seen.is_empty(), "no helper was ever started");
    kill(pid, Signal::SIGINT).unwrap();
    // The helpers hold the other end of this pipe: it ends when the last of them is gone.
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    let status = child.wait().unwrap();
    assert_eq!(status.code(), Some(130), "{said}");
    for helper in seen.split_whitespace() {
        let name = std::fs::read_to_string(format!("/proc/{helper}/comm")).unwrap_or_default();
        assert!(!name.contains("procession"), "helper {helper} is left");
    }
    let names = procession::shm::names().unwrap();
    assert!(!names.iter().any(|name| name.to_string().starts_with(&format!("job-{pid}-"))), "{names:?}");
}
