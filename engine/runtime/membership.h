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
    std::uint64_t lapses = 0;  // Of the node, before it opened the session.
  };
  // A writer of the present node, or of a new one when that one may not have writers any more.
  Result<Opened> open_session() {
    const MutexLock lock(joining_);
    if (present() == nullptr) TRY(join_anew());
    auto opened = open_of(present());
    if (opened.ok() || opened.error().code == ErrorCode::kUnavailable) return opened;
    TRY(join_anew());
    return open_of(present());
  }

  // The present one; none: it has not joined.
  std::optional<Uuid> node() const {
    const auto node = present();
    if (node == nullptr) return std::nullopt;
    return node->id();
  }

  // Of the present node: nothing here may have an effect until it is renewed.
  bool is_lease_over() const {
    const auto node = present();
    return node != nullptr && node->age() >= node->lease();
  }

  void leave() {
    const MutexLock none_joins(joining_);
    const MutexLock lock(mutex_);
    node_.reset();
  }

 private:
  static Result<Opened> open_of(const std::shared_ptr<store::Node>& node) {
    const std::uint64_t lapses = node->lapses();
    return Opened{node, TRY(node->open_session()), lapses};
  }

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
