// Membership — this process's Node, and a new one when the old one is dead.
//
// Any thread may call; a session is used by one.  Joining and opening wait for the database, and
// everything else does not wait for them: a lane asks for its lease on its loop.
#pragma once

#include <algorithm>
#include <memory>
#include <vector>

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

  // A writer of the present node, or of a new one when that one may not have writers any more.
  Result<std::unique_ptr<store::Session>> open_session() {
    const MutexLock lock(joining_);
    if (present() == nullptr) TRY(join_anew());
    auto opened = present()->open_session();
    if (opened.ok() || opened.error().code == ErrorCode::kUnavailable) return opened;
    TRY(join_anew());
    return present()->open_session();
  }

  // Of the newest renewal, in hundredths of the lease.
  int lease_used_percent() const {
    const MutexLock lock(mutex_);
    if (node_ == nullptr || node_->lease().count() == 0) return 100;
    return static_cast<int>(
        std::min<std::int64_t>(1000, node_->age().count() * 100 / node_->lease().count()));
  }

  void leave() {
    const MutexLock none_joins(joining_);
    const MutexLock lock(mutex_);
    node_.reset();
    former_.clear();
  }

 private:
  // Lives until leave(), whatever joins meanwhile.
  store::Node* present() const {
    const MutexLock lock(mutex_);
    return node_.get();
  }

  Status join_anew() REQUIRES(joining_) {
    auto joined = store_.join(options_);
    if (!joined.ok()) return joined.error();
    const MutexLock lock(mutex_);
    // Sessions of the old one may still be in use.
    if (node_ != nullptr) former_.push_back(std::move(node_));
    node_ = std::move(*joined);
    return ok_status();
  }

  store::Store& store_;
  const store::NodeOptions options_;
  Mutex joining_;  // Taken before mutex_.
  mutable Mutex mutex_;
  std::unique_ptr<store::Node> node_ GUARDED_BY(mutex_);
  std::vector<std::unique_ptr<store::Node>> former_ GUARDED_BY(mutex_);
};

}  // namespace stepwell::runtime
