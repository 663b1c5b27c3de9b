#include "tests/sim/tally.h"

namespace stepwell::sim {

// What a run of many seeds must have met, every one of them: else it proves less than it says.
Tally::Tally() {
  for (const char* what : {
           "client: redrive",
           "client: stop",
           "early: pure task before its start is durable",
           "early: start written with answers",
           "early: start written with its end",
           "fault: answer that cannot be stored",
           "fault: batch too much at once",
           "fault: claim forgotten",
           "fault: claim reply lost",
           "fault: claim request lost",
           "fault: closing lost",
           "fault: commit reply lost",
           "fault: commit request lost",
           "fault: committer stands still",
           "fault: connecting lost",
           "fault: crash",
           "fault: crash between commit and dispatch",
           "fault: database restarts",
           "fault: heart stands still",
           "fault: heartbeat lost",
           "fault: hint lost",
           "fault: joining lost",
           "fault: lane stands still",
           "fault: look lost",
           "fault: lease over",
           "fault: opening lost",
           "fault: poison",
           "fault: process stands still",
           "fault: process stops",
           "fault: read lost",
           "fault: reconciling lost",
           "fault: snapshot lost",
           "fault: start reply lost",
           "fault: start request lost",
           "fault: sweep lost",
           "fault: task hangs",
           "fault: upkeep lost",
           "race: stop against park",
           "recovery: batch sent again",
           "recovery: claim asked again",
           "recovery: fenced",
           "recovery: folded",
           "recovery: freed",
           "recovery: from a snapshot",
           "recovery: given back in order",
           "recovery: held back",
           "recovery: marked by evidence",
           "recovery: marked by lease",
           "recovery: parked",
           "recovery: pure task run again",
           "recovery: quarantined",
           "recovery: reconciled",
           "recovery: refused",
           "recovery: stopped in order",
           "recovery: task run again",
       }) {
    counts_[what] = 0;
  }
}

}  // namespace stepwell::sim
