#include "engine/runtime/committer.h"

#include <algorithm>
#include <chrono>

#include "engine/store/batch_parts.h"

namespace stepwell::runtime {
namespace {

constexpr Millis kFirstPause{20};
constexpr Millis kLongestPause{1'000};
constexpr int kLastTries = 4;  // While the engine stops, about a second each: then it gives up.
constexpr std::uint64_t kClaimBytes = 64u << 20;
constexpr int kClaimUpToPercent = 70;       // Of the lease.
constexpr std::int64_t kEmptyClaimsMs = 2;  // Between two claims that find nothing.

}  // namespace

Committer::Committer(const Clock& mono, Membership& membership, StoreClock& clock, Figures& figures,
                     Health& health, CommitterOptions options, CommitterCalls calls)
    : mono_(mono),
      membership_(membership),
      clock_(clock),
      figures_(figures),
      health_(health),
      talker_(health.add()),
      options_(std::move(options)),
      calls_(std::move(calls)) {}

Committer::~Committer() { finish(); }

Status Committer::start() {
  auto session = membership_.open_session();
  if (!session.ok()) return session.error();
  session_ = std::move(*session);
  thread_ = std::thread([this] { run(); });
  return ok_status();
}

void Committer::submit(Chunk&& chunk) {
  {
    const std::scoped_lock lock(mutex_);
    is_idle_ = false;
    // Into the chunk that waits: one batch is cheaper than two.
    const bool fits = !chunks_.empty() && !chunks_.back().held && !chunk.held &&
                      chunks_.back().epoch == chunk.epoch &&
                      chunks_.back().refusals_seen == chunk.refusals_seen &&
                      chunks_.back().rows() + chunk.rows() <= options_.batch_rows &&
                      chunks_.back().bytes + chunk.bytes <= options_.batch_bytes;
    if (fits) {
      append(chunks_.back(), std::move(chunk));
      return;  // It is known already that there is work.
    }
    chunks_.push_back(std::move(chunk));
  }
  changed_.notify_one();
}

void Committer::want_claim() {
  {
    const std::scoped_lock lock(mutex_);
    if (claim_wanted_) return;
    claim_wanted_ = true;
  }
  changed_.notify_one();
}

void Committer::finish() {
  {
    const std::scoped_lock lock(mutex_);
    finishing_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

Committer::Work Committer::next() {
  std::unique_lock lock(mutex_);
  Work work;
  if (chunks_.empty()) is_idle_ = true;
  changed_.wait(lock, [this] { return !chunks_.empty() || claim_wanted_ || finishing_; });
  if (!chunks_.empty()) {
    is_idle_ = false;
    work.chunk = std::move(chunks_.front());
    chunks_.pop_front();
  }
  work.claim = std::exchange(claim_wanted_, false) && !finishing_;
  work.finish = finishing_ && chunks_.empty();
  return work;
}

void Committer::run() {
  while (true) {
    Work work = next();
    if (work.chunk.epoch < epoch_) {
      // The lane staged it before it heard that it had been marked dead.
      if (!work.chunk.answers.empty()) calls_.fenced(std::move(work.chunk.answers), epoch_);
    } else {
      const auto held = std::move(work.chunk.held);
      if (!work.chunk.batch.empty()) commit(std::move(work.chunk));
      if (held && session_) reconcile(*held);
    }
    if (work.claim && session_) claim();
    if (work.finish) break;
  }
  // What cannot be given back now is freed by the others' sweeps.
  if (session_) (void)session_->close();
  session_.reset();
}

// An execution's facts after one that was refused would leave a hole in its journal.
void Committer::cut_followers(Chunk& chunk) {
  std::erase_if(refused_since_,
                [&](const auto& refused) { return refused.second <= chunk.refusals_seen; });
  if (refused_since_.empty()) return;
  store::ExecutionSet followers;
  for (const auto& [id, since] : refused_since_) followers.insert(id);
  chunk.batch = store::without(chunk.batch, followers);
}

void Committer::commit(Chunk chunk) {
  cut_followers(chunk);
  Landed landed;
  landed.batch = std::move(chunk.batch);
  landed.answers = std::move(chunk.answers);
  if (!commit_batch(landed.batch, landed.ack, landed.answers)) return;
  if (!landed.ack.refused.empty()) ++refusals_;
  for (const store::Refused& refused : landed.ack.refused) {
    refused_since_[refused.execution] = refusals_;
  }
  ++figures_.commits;
  figures_.facts += landed.batch.facts.size() + landed.batch.starts.size();
  calls_.landed(std::move(landed));
}

// False: it did not become durable, and the lane was told why.
bool Committer::commit_batch(store::Batch& batch, store::Ack& ack,
                             std::vector<StartAnswer>& answers) {
  batch.number = next_number_++;
  Millis wait = kFirstPause;
  int last_tries = 0;
  while (session_) {
    health_.asks(talker_, mono_.monotonic_ms());
    auto committed = session_->commit(batch);
    if (committed.ok()) {
      health_.works(talker_);
      ack = std::move(*committed);
      return true;
    }
    const Error& error = committed.error();
    if (error.code == ErrorCode::kFenced) break;
    health_.fails(talker_, error.while_doing("writing a batch"));
    ++figures_.unavailable;
    if (!pause(wait) && ++last_tries >= kLastTries) {
      // The engine stops and the database is away: whoever waits is told.  What is staged behind
      // this batch must not be written without it, should the database come back just now.
      session_.reset();
      calls_.fenced(std::move(answers), epoch_);
      return false;
    }
    wait = std::min(wait * 2, kLongestPause);
  }
  on_fenced(std::move(answers));
  return false;
}

// Everything that is staged belongs to the time before: nothing of it may be written any more.
void Committer::on_fenced(std::vector<StartAnswer> answers) {
  ++figures_.fenced;
  ++epoch_;
  session_.reset();
  {
    const std::scoped_lock lock(mutex_);
    for (Chunk& chunk : chunks_) {
      std::move(chunk.answers.begin(), chunk.answers.end(), std::back_inserter(answers));
    }
    chunks_.clear();
  }
  calls_.fenced(std::move(answers), epoch_);
  reopen();
}

bool Committer::reopen() {
  Millis wait = kFirstPause;
  while (true) {
    health_.asks(talker_, mono_.monotonic_ms());
    auto session = membership_.open_session();
    if (session.ok()) {
      health_.works(talker_);
      session_ = std::move(*session);
      next_number_ = 1;
      want_claim();
      return true;
    }
    health_.fails(talker_, session.error().while_doing("registering as a new writer"));
    if (!pause(wait)) return false;
    wait = std::min(wait * 2, kLongestPause);
  }
}

// False when the engine stops.
bool Committer::pause(Millis how_long) {
  std::unique_lock lock(mutex_);
  if (!finishing_) {
    changed_.wait_for(lock, how_long, [this] { return finishing_; });
    return !finishing_;
  }
  lock.unlock();
  std::this_thread::sleep_for(kFirstPause);
  return false;
}

void Committer::claim() {
  const std::int64_t before = mono_.monotonic_ms();
  if (before - last_empty_claim_ms_ < kEmptyClaimsMs) {
    std::this_thread::sleep_for(Millis(kEmptyClaimsMs));
  }
  store::ClaimRequest request;
  request.pools = options_.pools;
  const bool may_take = membership_.lease_used_percent() < kClaimUpToPercent;
  request.limit =
      may_take ? static_cast<std::uint32_t>(std::min<std::size_t>(options_.claim_limit, room_)) : 0;
  request.take_suspect = request.limit > 0;
  request.max_journal_bytes = kClaimBytes;
  health_.asks(talker_, before);
  auto claimed = session_->claim(request);
  if (!claimed.ok()) {
    const Error& error = claimed.error();
    if (error.code == ErrorCode::kFenced) return on_fenced({});
    health_.fails(talker_, error.while_doing("claiming"));
    ++figures_.unavailable;
    pause(kFirstPause);
    return want_claim();
  }
  health_.works(talker_);
  const std::size_t count = claimed->claimed.size();
  // The lane says more exactly when it has taken them in.
  room_ -= std::min<std::size_t>(room_, count);
  if (count > 0 && count >= request.limit && room_ > 0) want_claim();  // There may be more.
  if (count == 0 && claimed->inbox.empty()) last_empty_claim_ms_ = mono_.monotonic_ms();
  clock_.correct(claimed->now, before);
  ++claims_;
  calls_.claimed(std::move(*claimed));
}

// Nothing is in flight now: what names this lane and is not in its list is held by nobody.
void Committer::reconcile(const HeldList& held) {
  if (held.claims_seen != claims_) return;  // A claim is on its way to the lane: another time.
  auto owned = session_->owned();
  if (!owned.ok()) {
    if (owned.error().code == ErrorCode::kFenced) on_fenced({});
    return;
  }
  store::Batch batch;
  for (const ExecutionId id : *owned) {
    if (!held.ids.contains(id)) batch.released.push_back(id);
  }
  if (batch.released.empty()) return;
  figures_.reconciled += batch.released.size();
  store::Ack ack;
  std::vector<StartAnswer> answers;
  commit_batch(batch, ack, answers);
}

}  // namespace stepwell::runtime
