//! The command as a person or a machine meets it.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use procession::{Handle, Value};
use serde_json::Value as Json;
use std::io::Read;
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
