//! `publish --follow` publishes what comes, and ends well when it is asked to.

use crate::{counters::objects, program::Published};
use std::process::{Command, Stdio};

#[tokio::test]
async fn a_follower_publishes_what_comes_until_it_is_asked_to_end() {
    let Some(log) = Published::new().await else { return };
    log.shop.raise("a", 1).await;
    let mut following = log.command(&log.line("--create-topics 2 --follow"));
    let child = following.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    for count in 1..=5 {
        let proof = log.proof_of(&["counter"], count).await;
        assert!(proof.holds() && proof.records() == count, "{proof:?}");
        log.shop.raise("a", count + 1).await;
    }
    log.proof_of(&["counter"], 6).await;
    // Control: while it runs, another one of its name does not.
    let other = log.run(&log.line(""));
    assert_eq!(other.code, Some(1), "{other:?}");
    assert!(other.said.contains("let the other one publish"), "{other:?}");

    let asked = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(asked.success());
    let ended = child.wait_with_output().unwrap();
    let (printed, said) =
        (String::from_utf8(ended.stdout).unwrap(), String::from_utf8(ended.stderr).unwrap());
    assert_eq!(ended.status.code(), Some(0), "{said}");
    let told = objects(&printed).remove(0);
    assert_eq!((told["records"].as_u64(), told["position"].as_u64()), (Some(6), Some(6)), "{told}");
    // It gave its lease back, and what it did is not done again.
    assert_eq!(log.publish("")["records"], 0);
    assert!(log.proof(&["counter"]).await.holds());
}
