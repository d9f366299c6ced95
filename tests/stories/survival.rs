//! The server is killed at random moments, again and again, while clients push, pull, move and delete, or log in. Whatever was
//! acknowledged is there afterwards, whole; whatever was not is there whole or not at all. As long as it lives, every answer is one that
//! must come at that point.

mod downtime;
mod ledger;
mod person;
mod pusher;
mod tally;
mod uploader;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, RwLock};
use std::thread;
use std::time::Duration;

use berth_testkit::{BerthServer, Random, is_soak, until};

use downtime::Downtime;
use person::Person;
use pusher::Pusher;
use tally::Tally;
use uploader::Uploader;

const PATIENCE: Duration = Duration::from_mins(3);
const PUSHERS: u64 = 4;
const UPLOADERS: u64 = 2;
const PEOPLE: u64 = 8;
/// Within so many kills everything that is counted comes about as often as a story says.
const FEW: u64 = 5;

#[test]
fn everything_acknowledged_survives_fifty_kills() {
    one_after_the_other(50, 1, |server, downtime, random| {
        let mut clients: Clients = Vec::new();
        for number in 0..PUSHERS {
            clients.push(Mutex::new(Box::new(Pusher::new(server, downtime, number, random.next()))));
        }
        for number in 0..UPLOADERS {
            clients.push(Mutex::new(Box::new(Uploader::new(server, downtime, number, random.next()))));
        }
        clients
    });
}

#[test]
fn log_ins_and_changed_passwords_survive_kills() {
    one_after_the_other(10, 0, |server, downtime, random| {
        let person = |number| {
            let person = Person::new(server, downtime, number, random.next());
            Mutex::new(Box::new(person) as Box<dyn Client>)
        };
        (0..PEOPLE).map(person).collect()
    });
}

type Clients = Vec<Mutex<Box<dyn Client>>>;

/// Kills one server `kills` times, and sees everything that is counted come about `times` times for every few of them. In a soak ten
/// servers are killed four times as often. What a server holds grows with each kill, and with it the time that checking everything
/// takes: two thousand kills of one would be spent on that.
fn one_after_the_other(
    kills: u64,
    times: u64,
    clients: impl Fn(&BerthServer, &Downtime, &mut Random) -> Clients,
) {
    let (servers, kills) = if is_soak() { (10, 4 * kills) } else { (1, kills) };
    for _ in 0..servers {
        let (mut random, downtime) = (Random::unforeseen(), Downtime::default());
        // Kills meet checkpoints too, also those within one body.
        let server = BerthServer::setup().set("registry.checkpoint_every", "1MiB").start();
        let clients = clients(&server, &downtime, &mut random);
        Survival { server, random, downtime }.survive(kills, times, &clients);
    }
}

/// A server that is killed again and again.
struct Survival {
    server: BerthServer,
    random: Random,
    downtime: Downtime,
}

impl Survival {
    /// Kills the server so often in the middle of what the clients do, and has each of them check what it was promised.
    fn survive(mut self, kills: u64, times: u64, clients: &[Mutex<Box<dyn Client>>]) {
        let seed = self.random.seed();
        let (road, ended, acknowledged) = (RwLock::new(()), AtomicBool::new(false), AtomicU64::new(0));

        thread::scope(|scope| {
            // The clients stop when this thread does, for whatever reason.
            let _stop = SetOnDrop(&ended);
            for client in clients {
                scope.spawn(|| work(client, &road, &ended, &acknowledged));
            }
            for kill in 1..=kills {
                // Every other kill comes after something was promised, however slow the machine is; the others meet the start too.
                if kill % 2 == 0 {
                    let now = || acknowledged.load(Ordering::Relaxed);
                    let before = now();
                    until("an operation is acknowledged", PATIENCE, || (now() > before).then_some(()));
                }
                // The random moment itself is the point here.
                thread::sleep(Duration::from_millis(20 + self.random.below(300)));
                // With the others some upload is sometimes interrupted; with this one it is certain.
                let held = (times > 0 && kill % FEW == 0).then(|| {
                    until_counted(clients, times * (kill / FEW - 1));
                    in_an_upload(clients)
                });
                self.downtime.begins();
                self.server.kill();
                drop(held);
                // Everybody has seen the end of what was under way.
                let closed = road.write().expect("no client panicked");
                self.server.start_again();
                self.downtime.ends();
                check(clients, &format!("seed {seed}, kill {kill}"));
                // Reading every byte back is slow; the last state holds all that came before.
                if kill % 10 == 0 || kill == kills {
                    self.server.assert_sound();
                }
                drop(closed);
            }
            until_counted(clients, times * (kills / FEW));
            let _closed = road.write().expect("no client panicked");
            check(clients, &format!("seed {seed}, after the last kill"));
        });
    }
}

/// Has every client check what it was promised.
fn check(clients: &[Mutex<Box<dyn Client>>], when: &str) {
    for client in clients {
        lock(client).check(when);
    }
}

/// Waits until everything that is counted came about so often. What was interrupted is gone on with meanwhile, and nothing is killed.
fn until_counted(clients: &[Mutex<Box<dyn Client>>], times: u64) {
    until(&format!("everything that is counted came about {times} times"), PATIENCE, || {
        let tallies = clients.iter().map(|client| lock(client).tally());
        tallies.fold(Tally::default(), Tally::plus).reaches(times).then_some(())
    });
}

/// A client between two requests of one upload, which stays there as long as this is held.
fn in_an_upload(clients: &[Mutex<Box<dyn Client>>]) -> MutexGuard<'_, Box<dyn Client>> {
    until("an upload is under way", PATIENCE, || {
        clients.iter().map(lock).find(|client| client.is_in_an_upload())
    })
}

/// Somebody who uses the registry and remembers what was promised.
trait Client: Send {
    /// Does one thing, which comes to its end unless the server is killed.
    fn step(&mut self);

    /// Panics unless everything that was acknowledged is there.
    fn check(&mut self, when: &str);

    /// How many operations were acknowledged.
    fn acknowledged(&self) -> u64;

    /// What came about of that which is counted.
    fn tally(&self) -> Tally {
        Tally::default()
    }

    /// Whether it has an upload that is neither empty nor whole.
    fn is_in_an_upload(&self) -> bool {
        false
    }
}

fn work(client: &Mutex<Box<dyn Client>>, road: &RwLock<()>, ended: &AtomicBool, acknowledged: &AtomicU64) {
    while !ended.load(Ordering::Relaxed) {
        let Ok(open) = road.read() else { return };
        let mut client = lock(client);
        let before = client.acknowledged();
        client.step();
        acknowledged.fetch_add(client.acknowledged() - before, Ordering::Relaxed);
        drop((client, open));
        thread::yield_now();
    }
}

fn lock(client: &Mutex<Box<dyn Client>>) -> MutexGuard<'_, Box<dyn Client>> {
    client.lock().expect("no client panicked")
}

struct SetOnDrop<'a>(&'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
