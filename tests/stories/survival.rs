//! The server is killed at random moments, again and again, while clients push, pull, move and delete, or log in. Whatever was
//! acknowledged is there afterwards, whole; whatever was not is there whole or not at all.

mod ledger;
mod person;
mod pusher;
mod uploader;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, RwLock};
use std::thread;
use std::time::Duration;

use berth_testkit::{BerthServer, Random, is_soak, until};

use person::Person;
use pusher::Pusher;
use uploader::Uploader;

const PATIENCE: Duration = Duration::from_mins(1);
const PUSHERS: u64 = 4;
const UPLOADERS: u64 = 2;
const PEOPLE: u64 = 8;

#[test]
fn everything_acknowledged_survives_fifty_kills() {
    one_after_the_other(50, |server, random| {
        let mut clients: Clients = Vec::new();
        for number in 0..PUSHERS {
            clients.push(Mutex::new(Box::new(Pusher::new(server, number, random.next()))));
        }
        for number in 0..UPLOADERS {
            clients.push(Mutex::new(Box::new(Uploader::new(server, number, random.next()))));
        }
        clients
    });
}

#[test]
fn log_ins_and_changed_passwords_survive_kills() {
    one_after_the_other(10, |server, random| {
        let person =
            |number| Mutex::new(Box::new(Person::new(server, number, random.next())) as Box<dyn Client>);
        (0..PEOPLE).map(person).collect()
    });
}

type Clients = Vec<Mutex<Box<dyn Client>>>;

/// Kills one server `kills` times; in a soak ten of them four times as often. What a server holds grows with each kill, and with it
/// the time that checking everything takes: two thousand kills of one would be spent on that.
fn one_after_the_other(kills: u64, clients: impl Fn(&BerthServer, &mut Random) -> Clients) {
    let (servers, kills) = if is_soak() { (10, 4 * kills) } else { (1, kills) };
    for _ in 0..servers {
        let mut random = Random::unforeseen();
        // Kills meet checkpoints too, also those within one body.
        let server = BerthServer::setup().set("registry.checkpoint_every", "1MiB").start();
        let clients = clients(&server, &mut random);
        survive(server, kills, random, &clients);
    }
}

/// Kills the server so often in the middle of what the clients do, and has each of them check what it was promised.
fn survive(mut server: BerthServer, kills: u64, mut random: Random, clients: &[Mutex<Box<dyn Client>>]) {
    let seed = random.seed();
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
            thread::sleep(Duration::from_millis(20 + random.below(300)));
            server.kill();
            // Everybody has seen the end of what was under way.
            let closed = road.write().expect("no client panicked");
            server.start_again();
            for client in clients {
                lock(client).check(&format!("seed {seed}, kill {kill}"));
            }
            // Reading every byte back is slow; the last state holds all that came before.
            if kill % 10 == 0 || kill == kills {
                server.assert_sound();
            }
            drop(closed);
        }
    });
}

/// Somebody who uses the registry and remembers what was promised.
trait Client: Send {
    /// Does one thing, which may fail at any point.
    fn step(&mut self);

    /// Panics unless everything that was acknowledged is there.
    fn check(&mut self, when: &str);

    /// How many operations were acknowledged.
    fn acknowledged(&self) -> u64;
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
