#include "engine/runtime/committer.h"

#include <algorithm>

#include "engine/runtime/protection.h"
#include "engine/store/batch_parts.h"

namespace stepwell::runtime {
namespace {

constexpr Millis kAtOnce{0};
constexpr std::nullopt_t kWhenWoken = std::nullopt;
constexpr Millis kFirstPause{20};
constexpr Millis kLongestPause{1'000};
constexpr int kLastTries = 4;  // While the engine stops; then it gives up.
constexpr std::uint64_t kClaimBytes = 64u << 20;
constexpr int kClaimUpToPercent = 70;       // Of the lease.
constexpr std::int64_t kEmptyClaimsMs = 2;  // Between two claims that find nothing.

}  // namespace

Committer::Committer(const Clock& mono, Membership& membership, StoreClock& clock,
                     Counters& counters, Health& health, CommitterOptions options,
                     CommitterCalls calls)
    : mono_(mono),
      membership_(membership),
      clock_(clock),
      counters_(counters),
      health_(health),
      probe_(health.add()),
      options_(std::move(options)),
      calls_(std::move(calls)) {}

Status Committer::open() {
  take(TRY(membership_.open_session()));
  return ok_status();
}

void Committer::take(Membership::Opened opened) {
  session_ = std::move(opened.session);
  const MutexLock lock(mutex_);
  node_.swap(opened.node);
  node_epoch_ = epoch_;
  known_lapses_ = opened.lapses;
}

std::uint64_t Committer::lapses() const {
  const MutexLock lock(mutex_);
  return node_->lapses();
}

int Committer::lease_used_percent(std::uint64_t epoch) const {
  const MutexLock lock(mutex_);  // Not a node of one's own: the last one to let go waits for it.
  if (epoch != node_epoch_ || node_ == nullptr || node_->lease().count() == 0) return 100;
  const std::int64_t age = node_->age().count();  // Before the lapses: a late renewal shows there.
  if (node_->lapses() != known_lapses_) return 100;
  return static_cast<int>(std::min<std::int64_t>(1'000, age * 100 / node_->lease().count()));
}

void Committer::submit(Chunk&& chunk) {
  {
    const MutexLock lock(mutex_);
    // Into the chunk that waits: one batch is cheaper than two.
    const bool fits = !chunks_.empty() && !chunks_.back().held && !chunk.held &&
                      chunks_.back().epoch == chunk.epoch &&
                      chunks_.back().refusals_seen == chunk.refusals_seen &&
                      chunks_.back().rows() + chunk.rows() <= options_.batch_rows &&
                      chunks_.back().bytes + chunk.bytes <= options_.batch_bytes;
    if (fits) {
      append(chunks_.back(), std::move(chunk));
    } else {
      chunks_.push_back(std::move(chunk));
    }
    // The committer is woken for new work, and while it gathers starts, when there are enough.
    const std::size_t wanted = gathering_.wanted();
    const bool has_enough = chunks_.size() > 1 || chunks_.back().batch.starts.size() >= wanted;
    if (wanted == 0 ? fits : !has_enough) return;
  }
  woken_();
}

void Committer::want_claim() {
  {
    const MutexLock lock(mutex_);
    if (std::exchange(claim_wanted_, true)) return;
  }
  woken_();
}

void Committer::claim_no_more() {
  {
    const MutexLock lock(mutex_);
    claims_no_more_ = true;
  }
  woken_();
}

bool Committer::has_claimed_its_last() const {
  const bool is_claiming = phase_ != Phase::kChoose && question_ == Question::kClaim;
  const MutexLock lock(mutex_);
  return claims_no_more_ && !is_claiming;
}

void Committer::finish() {
  {
    const MutexLock lock(mutex_);
    claims_no_more_ = finishing_ = true;
  }
  woken_();
}

bool Committer::is_finishing() const {
  const MutexLock lock(mutex_);
  return finishing_;
}

std::optional<Committer::Pause> Committer::turn() {
  if (resume_ms_ != 0) {
    const std::int64_t now = mono_.monotonic_ms();
    if (is_finishing()) resume_ms_ = std::min(resume_ms_, now + kFirstPause.count());
    if (now < resume_ms_) return Millis(resume_ms_ - now);
    resume_ms_ = 0;
  }
  switch (phase_) {
    case Phase::kChoose: return choose();
    case Phase::kAsk:
      reply_ = ask();
      phase_ = Phase::kTell;
      return kAtOnce;
    case Phase::kTell: return tell();
    case Phase::kDone: return kWhenWoken;
  }
  return kWhenWoken;
}

// ---- choose

std::optional<Committer::Pause> Committer::will_ask(Question question) {
  question_ = question;
  pause_ = kFirstPause;
  last_tries_ = 0;
  phase_ = Phase::kAsk;
  return kAtOnce;
}

// The database is away: the same question after a while.
std::optional<Committer::Pause> Committer::ask_again() {
  const Millis pause = is_finishing() ? kFirstPause : pause_;
  pause_ = std::min(pause_ * 2, kLongestPause);
  phase_ = Phase::kAsk;
  resume_ms_ = mono_.monotonic_ms() + pause.count();
  return pause;
}

// A chunk, then what it asks to reconcile, then a claim, then the next chunk: a claim that has to
// wait holds up no batch, and many batches hold up no claim.
std::optional<Committer::Pause> Committer::choose() {
  if (held_) {
    // Else a claim is on its way to the lane, or its reply was lost: the list cannot have it.
    const bool is_whole = held_->claims_seen == claims_ && !claim_in_doubt_;
    if (session_ && is_whole) return will_ask(Question::kOwned);
    held_.reset();
  }
  const std::int64_t now = mono_.monotonic_ms();
  Chunk chunk;
  {
    const MutexLock lock(mutex_);
    const bool may_claim = claim_wanted_ && !claims_no_more_ && session_ != nullptr;
    if (may_claim && now >= next_claim_ms_ && (was_chunk_ || chunks_.empty())) {
      claim_wanted_ = was_chunk_ = false;
      return will_ask(Question::kClaim);
    }
    if (const Pause rest = gathers(); rest > Pause(0)) return rest;
    if (chunks_.empty()) {
      if (finishing_) return close();
      if (may_claim) return Millis(next_claim_ms_ - now);
      return kWhenWoken;
    }
    chunk = std::move(chunks_.front());
    chunks_.pop_front();
    was_chunk_ = true;
  }
  return choose_chunk(std::move(chunk));
}

// How much longer the next chunk is to wait for starts.  Behind a full one nothing waits.
Committer::Pause Committer::gathers() {
  if (finishing_ || chunks_.size() > 1) return Pause(0);
  const std::size_t starts = chunks_.empty() ? 0 : chunks_.front().batch.starts.size();
  return Pause(gathering_.left_us(starts, mono_.monotonic_us()));
}

std::optional<Committer::Pause> Committer::choose_chunk(Chunk chunk) {
  if (chunk.epoch < epoch_ && protects(Protection::kEpoch)) {
    // The lane staged it before it heard that it had been marked dead.
    if (!chunk.answers.empty()) calls_.fenced(std::move(chunk.answers), epoch_);
    return kAtOnce;
  }
  held_ = std::move(chunk.held);
  if (chunk.batch.empty()) return kAtOnce;
  cut_followers(chunk);
  writing_ = {};
  writing_.batch = std::move(chunk.batch);
  writing_.answers = std::move(chunk.answers);
  if (!session_) return on_fenced(std::move(writing_.answers));
  writing_.batch.number = next_number_++;
  return will_ask(Question::kCommit);
}

// What cannot be given back now is freed by the others' keepers.
std::optional<Committer::Pause> Committer::close() {
  if (session_) (void)session_->close();
  session_.reset();
  phase_ = Phase::kDone;
  return kWhenWoken;
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

// ---- ask

Committer::Reply Committer::ask() {
  asked_us_ = mono_.monotonic_us();
  asked_ms_ = asked_us_ / 1'000;
  health_.asks(probe_, asked_ms_);
  switch (question_) {
    case Question::kCommit:
    case Question::kGiveBack: owns_nothing_ = false; return session_->commit(writing_.batch);
    case Question::kOwned: return session_->owned();
    case Question::kClaim:
      owns_nothing_ = false;
      asked_lapses_ = lapses();
      return session_->claim(request_ = claim_request());
    case Question::kOpen: break;
  }
  return membership_.open_session();
}

store::ClaimRequest Committer::claim_request() const {
  store::ClaimRequest request;
  request.pools = options_.pools;
  const bool may_take = lease_used_percent(epoch_) < kClaimUpToPercent;
  request.limit =
      may_take ? static_cast<std::uint32_t>(std::min<std::size_t>(options_.claim_limit, room_)) : 0;
  request.take_suspect = request.limit > 0;
  request.max_journal_bytes = kClaimBytes;
  return request;
}

// ---- tell

std::optional<Committer::Pause> Committer::tell() {
  Reply reply = std::move(*reply_);
  reply_.reset();
  phase_ = Phase::kChoose;
  switch (question_) {
    case Question::kCommit:
    case Question::kGiveBack: return on_commit(std::get<Result<store::Ack>>(std::move(reply)));
    case Question::kClaim: return on_claim(std::get<Result<store::ClaimResult>>(std::move(reply)));
    case Question::kOwned:
      return on_owned(std::get<Result<std::vector<ExecutionId>>>(std::move(reply)));
    case Question::kOpen: break;
  }
  return on_open(std::get<Result<Membership::Opened>>(std::move(reply)));
}

std::optional<Committer::Pause> Committer::on_commit(Result<store::Ack> reply) {
  if (!reply.ok()) {
    const Error& error = reply.error();
    if (error.code == ErrorCode::kFenced) return on_fenced(std::move(writing_.answers));
    health_.fails(probe_, error.while_doing("writing a batch"));
    ++counters_.unavailable;
    if (!is_finishing() || ++last_tries_ < kLastTries) return ask_again();
    // The engine stops and the database is away: whoever waits is told.  What is staged behind
    // this batch must not be written without it, should the database come back just now.
    session_.reset();
    calls_.fenced(std::move(writing_.answers), epoch_);
    return kAtOnce;
  }
  health_.works(probe_);
  if (question_ == Question::kGiveBack) return kAtOnce;
  writing_.ack = std::move(*reply);
  if (!writing_.ack.refused.empty()) ++refusals_;
  for (const store::Refused& refused : writing_.ack.refused) {
    refused_since_[refused.execution] = refusals_;
  }
  gather_after(writing_);
  ++counters_.commits;
  counters_.facts += writing_.batch.facts.size() + writing_.batch.starts.size();
  calls_.landed(std::move(writing_));
  return kAtOnce;
}

// Their callers are about to be told, and may start the next ones.
void Committer::gather_after(const Landed& landed) {
  const std::int64_t now = mono_.monotonic_us();
  const MutexLock lock(mutex_);
  gathering_.landed(landed.batch.starts.size(), now - asked_us_, now);
}

// Everything that is staged belongs to the time before: nothing of it may be written any more.
std::optional<Committer::Pause> Committer::on_fenced(std::vector<StartAnswer> answers) {
  ++counters_.fenced;
  ++epoch_;
  session_.reset();
  held_.reset();
  claim_in_doubt_ = false;
  std::shared_ptr<const store::Node> node;  // Ends when nobody waits for the mutex.
  {
    const MutexLock lock(mutex_);
    for (Chunk& chunk : chunks_) {
      std::move(chunk.answers.begin(), chunk.answers.end(), std::back_inserter(answers));
    }
    chunks_.clear();
    node = std::move(node_);
  }
  calls_.fenced(std::move(answers), epoch_);
  return will_ask(Question::kOpen);
}

std::optional<Committer::Pause> Committer::on_open(Result<Membership::Opened> reply) {
  if (!reply.ok()) {
    health_.fails(probe_, reply.error().while_doing("registering as a new writer"));
    return is_finishing() ? kAtOnce : ask_again();
  }
  health_.works(probe_);
  take(std::move(*reply));
  next_number_ = 1;
  want_claim();
  return kAtOnce;
}

std::optional<Committer::Pause> Committer::on_claim(Result<store::ClaimResult> reply) {
  if (!reply.ok()) {
    const Error& error = reply.error();
    if (error.code == ErrorCode::kFenced) return on_fenced({});
    health_.fails(probe_, error.while_doing("claiming"));
    ++counters_.unavailable;
    claim_in_doubt_ = true;
    next_claim_ms_ = mono_.monotonic_ms() + kFirstPause.count();
    want_claim();
    return kAtOnce;
  }
  health_.works(probe_);
  claim_in_doubt_ = false;
  {
    const MutexLock lock(mutex_);  // It was let in: none of these lapses has cost it its writer.
    known_lapses_ = asked_lapses_;
  }
  const std::size_t count = reply->claimed.size();
  if (take_room(count) && count > 0 && count >= request_.limit) want_claim();  // There may be more.
  if (count == 0 && reply->inbox.empty()) {
    next_claim_ms_ = mono_.monotonic_ms() + kEmptyClaimsMs;
  }
  clock_.correct(reply->now, asked_ms_);
  ++claims_;
  calls_.claimed(std::move(*reply));
  return kAtOnce;
}

// The lane says more exactly when it has taken them in, and may be saying so just now.  False: none
// is left.
bool Committer::take_room(std::size_t count) {
  std::size_t room = room_;
  std::size_t left = room - std::min(room, count);
  while (!room_.compare_exchange_weak(room, left)) left = room - std::min(room, count);
  return left > 0;
}

// Nothing is in flight now: what names this lane and is not in its list is held by nobody.
std::optional<Committer::Pause> Committer::on_owned(const Result<std::vector<ExecutionId>>& reply) {
  const HeldList held = *std::exchange(held_, std::nullopt);
  if (!reply.ok()) {
    const Error& error = reply.error();
    if (error.code == ErrorCode::kFenced) return on_fenced({});
    health_.fails(probe_, error.while_doing("asking what is owned"));
    return kAtOnce;
  }
  health_.works(probe_);
  owns_nothing_ = reply->empty();
  writing_ = {};
  for (const ExecutionId id : *reply) {
    if (!held.ids.contains(id)) writing_.batch.released.push_back(id);
  }
  if (writing_.batch.released.empty()) return kAtOnce;
  counters_.reconciled += writing_.batch.released.size();
  writing_.batch.number = next_number_++;
  return will_ask(Question::kGiveBack);
}

}  // namespace stepwell::runtime
