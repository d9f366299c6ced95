//! What the kernel is told of a connection.

use rustix::net::sockopt;
use tokio::net::{TcpListener, TcpStream};

use crate::connection::tune;

/// What holds back what is sent: the pace and the room.
fn held_back(stream: &TcpStream) -> (String, usize, usize) {
    (
        sockopt::tcp_congestion(stream).unwrap(),
        sockopt::socket_send_buffer_size(stream).unwrap(),
        sockopt::socket_recv_buffer_size(stream).unwrap(),
    )
}

#[tokio::test]
async fn only_what_stays_on_this_machine_has_no_pace_and_little_room() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    for (peer, is_near) in [
        ("127.0.0.1:1", true),
        ("[::1]:1", true),
        ("[::ffff:127.0.0.1]:1", true),
        ("192.0.2.1:1", false),
        ("[2001:db8::1]:1", false),
        ("[::ffff:192.0.2.1]:1", false),
    ] {
        let (_client, accepted) =
            tokio::join!(TcpStream::connect(listener.local_addr().unwrap()), listener.accept());
        let (stream, _) = accepted.unwrap();
        let before = held_back(&stream);
        tune(&stream, peer.parse().unwrap());
        let now = held_back(&stream);
        if is_near {
            // The system may allow less room than was asked for.
            let (pace, sent, received) = &now;
            assert!(pace == "reno" && *sent <= 512 << 10 && *received <= 512 << 10, "{peer}: {now:?}");
        } else {
            assert_eq!(now, before, "{peer}");
        }
        assert!(stream.nodelay().unwrap(), "{peer}");
    }
}
