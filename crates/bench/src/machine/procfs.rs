//! What `/proc` knows of a process and its children.

use std::fs;

/// The kernel counts user-visible CPU time in hundredths of a second on every Linux.
const TICKS_PER_SECOND: f64 = 100.0;

/// `root` and everything it started that still lives.
pub(crate) fn tree(root: u32) -> Vec<u32> {
    let mut found = vec![root];
    let mut next = 0;
    while let Some(pid) = found.get(next).copied() {
        found.extend(children(pid));
        next += 1;
    }
    found
}

fn children(pid: u32) -> Vec<u32> {
    let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else { return Vec::new() };
    let mut found = Vec::new();
    for task in tasks.flatten() {
        let list = fs::read_to_string(task.path().join("children")).unwrap_or_default();
        found.extend(list.split_ascii_whitespace().filter_map(|pid| pid.parse::<u32>().ok()));
    }
    found
}

/// CPU seconds, user and system, that these processes have used so far.
pub(crate) fn cpu_seconds(pids: &[u32]) -> f64 {
    pids.iter().filter_map(|pid| ticks(*pid)).sum::<f64>() / TICKS_PER_SECOND
}

fn ticks(pid: u32) -> Option<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in brackets may hold spaces; after it, fields 14 and 15 of proc(5) are the twelfth and thirteenth.
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

/// Resident memory in bytes that no file backs (`RssAnon`), summed over these processes.
pub(crate) fn anonymous_bytes(pids: &[u32]) -> u64 {
    pids.iter().filter_map(|pid| anonymous(*pid)).sum()
}

fn anonymous(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

/// The local process that listens on `port`, when this user may look into it.
pub(crate) fn listener(port: u16) -> Option<u32> {
    let inode = ["/proc/net/tcp", "/proc/net/tcp6"].iter().find_map(|table| listening_inode(table, port))?;
    let wanted = format!("socket:[{inode}]");
    fs::read_dir("/proc").ok()?.flatten().find_map(|entry| {
        let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
        let descriptors = fs::read_dir(entry.path().join("fd")).ok()?;
        let holds =
            |link: fs::DirEntry| fs::read_link(link.path()).is_ok_and(|to| to.as_os_str() == wanted.as_str());
        descriptors.flatten().any(holds).then_some(pid)
    })
}

fn listening_inode(table: &str, port: u16) -> Option<String> {
    let port = format!(":{port:04X}");
    fs::read_to_string(table).ok()?.lines().skip(1).find_map(|line| {
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        // State 0A is LISTEN; the tenth field is the socket's inode.
        let listens = fields.get(1)?.ends_with(&port) && *fields.get(3)? == "0A";
        listens.then(|| fields.get(9).map(ToString::to_string)).flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_memory_time_and_children() {
        let me = std::process::id();
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        assert_eq!(tree(me).iter().filter(|pid| **pid == child.id()).count(), 1);
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(anonymous_bytes(&[me]) > 0);
        let before = cpu_seconds(&[me]);
        let mut sum = 0_u64;
        while cpu_seconds(&[me]) <= before {
            sum = (0..1_000_000).fold(sum, |sum, n: u64| sum.rotate_left(3) ^ n);
        }
        assert!(cpu_seconds(&[me]) > before, "{sum}");
    }

    #[test]
    fn a_listener_is_found_by_its_port() {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = socket.local_addr().unwrap().port();
        assert_eq!(listener(port), Some(std::process::id()));
    }
}
