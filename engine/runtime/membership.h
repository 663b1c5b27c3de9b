// Membership — this process's Node, and a new one when the old one is dead.
//
// Any thread may call; a session is used by one.  Joining and opening wait for the database, and
// node() does not wait for them.
#pragma once

#include <memory>
#include <optional>

#include "base/sync/mutex.h"
#include "engine/store/store.h"

namespace stepwell::runtime {

class Membership {
 public:
  Membership(store::Store& store, store::NodeOptions options)
      : store_(store), options_(std::move(options)) {}

  Status join() {
    const MutexLock lock(joining_);
    return join_anew();
  }

  // A session, and the node that it is of: whoever uses the session goes by that one's lease, and
  // keeps it, whatever joins meanwhile.
  struct Opened {
    std::shared_ptr<const store::Node> node;
    std::unique_ptr<store::Session> session;
  };
  // A writer of the present node, or of a new one when that one may not have writers any more.
  Result<Opened> open_session() {
    const MutexLock lock(joining_);
    if (present() == nullptr) TRY(join_anew());
    auto session = present()->open_session();
    if (!session.ok() && session.error().code != ErrorCode::kUnavailable) {
      TRY(join_anew());
      session = present()->open_session();
    }
    return Opened{present(), TRY(std::move(session))};
  }

  // The present one; none: it has not joined.
  std::optional<Uuid> node() const {
    const auto node = present();
    if (node == nullptr) return std::nullopt;
    return node->id();
  }

  void leave() {
    const MutexLock none_joins(joining_);
    const MutexLock lock(mutex_);
    node_.reset();
  }

 private:
  std::shared_ptr<store::Node> present() const {
    const MutexLock lock(mutex_);
    return node_;
  }

  Status join_anew() REQUIRES(joining_) {
    std::shared_ptr<store::Node> joined = TRY(store_.join(options_));
    const MutexLock lock(mutex_);
    node_.swap(joined);  // The old one ends with its last session, and not under the mutex.
    return ok_status();
  }

  store::Store& store_;
  const store::NodeOptions options_;
  Mutex joining_;  // Taken before mutex_.
  mutable Mutex mutex_;
  std::shared_ptr<store::Node> node_ GUARDED_BY(mutex_);
};

}  // namespace stepwell::runtime
