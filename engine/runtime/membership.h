// Membership — this process's Node, and a new one when the old one is dead.
//
// Any thread may call; a session is used by one.
#pragma once

#include <memory>
#include <mutex>

#include "engine/store/store.h"

namespace stepwell::runtime {

class Membership {
 public:
  Membership(store::Store& store, store::NodeOptions options)
      : store_(store), options_(std::move(options)) {}

  Status join() {
    const std::scoped_lock lock(mutex_);
    return join_locked();
  }

  // A writer of the present node, or of a new one when that one may not have writers any more.
  Result<std::unique_ptr<store::Session>> open_session() {
    const std::scoped_lock lock(mutex_);
    if (node_ == nullptr) TRY(join_locked());
    auto opened = node_->open_session();
    if (opened.ok() || opened.error().code == ErrorCode::kUnavailable) return opened;
    TRY(join_locked());
    return node_->open_session();
  }

  // Of the newest renewal, in hundredths of the lease.
  int lease_used_percent() const {
    const std::scoped_lock lock(mutex_);
    if (node_ == nullptr || node_->lease().count() == 0) return 100;
    return static_cast<int>(
        std::min<std::int64_t>(1000, node_->age().count() * 100 / node_->lease().count()));
  }

  void leave() {
    const std::scoped_lock lock(mutex_);
    node_.reset();
    former_.clear();
  }

 private:
  Status join_locked() {
    auto joined = store_.join(options_);
    if (!joined.ok()) return joined.error();
    // Sessions of the old one may still be in use.
    if (node_ != nullptr) former_.push_back(std::move(node_));
    node_ = std::move(*joined);
    return ok_status();
  }

  store::Store& store_;
  const store::NodeOptions options_;
  mutable std::mutex mutex_;
  std::unique_ptr<store::Node> node_;
  std::vector<std::unique_ptr<store::Node>> former_;
};

}  // namespace stepwell::runtime
