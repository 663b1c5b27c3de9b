#include "engine/runtime/history.h"

#include <charconv>
#include <limits>

namespace stepwell::runtime {
namespace {

constexpr std::uint32_t kFactsAtOnce = 500;
constexpr std::size_t kPlaces = 8;
constexpr std::size_t kMostAhead = 20'000;  // Events; a place with more is not remembered.
constexpr std::uint64_t kEnd = std::numeric_limits<std::int64_t>::max();

// "f.SEQ.EVENT": goes on after fact SEQ, with the event EVENT.
// "b.SEQ.EVENT": goes back from fact SEQ, with the events before EVENT.
struct Token {
  char direction = 'f';
  std::uint64_t seq = 0, event = 1;

  std::string text() const {
    return std::string(1, direction) + "." + std::to_string(seq) + "." + std::to_string(event);
  }
};

Result<Token> parse_token(const std::string& text, char direction) {
  Token token;
  const char* const end = text.data() + text.size();
  if (text.size() > 4 && text[0] == direction && text[1] == '.') {
    const auto seq = std::from_chars(text.data() + 2, end, token.seq);
    if (seq.ec == std::errc() && seq.ptr != end && *seq.ptr == '.') {
      const auto event = std::from_chars(seq.ptr + 1, end, token.event);
      token.direction = direction;
      if (event.ec == std::errc() && event.ptr == end) return token;
    }
  }
  return Error{ErrorCode::kInvalid,
               "\"" + text + "\" is not a token of a history page in this order"};
}

Error unreadable(ExecutionId id, std::uint64_t seq, const std::string& why) {
  return {ErrorCode::kInternal,
          "the history of " + id.text() + " at fact " + std::to_string(seq) + ": " + why};
}

void name_places(EventPage& page, const Program& program) {
  for (const HistoryEvent& event : page.events) {
    HistoryPlace& place = page.places.emplace_back();
    if (event.about) place = {place_text(program, *event.about), event.about->blame.value};
  }
}

}  // namespace

Result<EventPage> HistoryReader::read(const Namespace& ns, ExecutionId id,
                                      const PageRequest& request) {
  try {
    return request.newest_first ? read_backwards(ns, id, request) : read_forwards(ns, id, request);
  } catch (const FoldMismatch& mismatch) {
    return unreadable(id, 0, mismatch.what());
  } catch (const InvariantBroken& bug) {
    return unreadable(id, 0, bug.what());
  }
}

Result<HistoryReader::Place> HistoryReader::place_before(const Namespace& ns, ExecutionId id,
                                                         std::uint64_t at_most) {
  Place place;
  place.id = id;
  store::ExecutionRow row = TRY(store_.describe(ns, id));
  place.program = TRY(programs_.get(ns, row.program_hash));
  place.workflow = std::move(row.workflow);
  place.name = std::move(row.name);
  place.ns = std::move(row.ns);
  if (at_most == 0) return place;
  const auto snapshot = TRY(store_.load_snapshot(ns, id, at_most));
  if (!snapshot) return place;
  auto decoded = Execution::decode(snapshot->body);
  if (!decoded.ok()) return place;  // Of another format: from the beginning, then.
  place.x = std::move(*decoded);
  place.seq = snapshot->seq;
  return place;
}

template <class Tell>
Result<bool> HistoryReader::fold_some(Place& place, std::uint64_t up_to, Tell&& tell) {
  const Listener listener = [&](HistoryEvent event) {
    tell(Told{std::move(event), place.seq + 1});
  };
  const auto rows = TRY(store_.journal(place.ns, place.id, place.seq, kFactsAtOnce));
  const RowNames names{place.workflow, place.name, place.ns.account()};
  std::vector<Command> commands;
  for (const store::JournalRow& row : rows) {
    if (row.seq > up_to) return false;
    FactBody body = TRY(decode_payload(row.kind, row.payload, names));
    const Fact fact{row.command, row.at, row.input_hash, std::move(body)};
    if (row.seq != place.seq + 1 || !step(*place.program, place.x, fact, commands, &listener)) {
      return unreadable(place.id, row.seq, "the fact does not fit");
    }
    commands.clear();
    place.seq = row.seq;
  }
  return rows.size() == kFactsAtOnce && place.seq < up_to;
}

Result<EventPage> HistoryReader::read_forwards(const Namespace& ns, ExecutionId id,
                                               const PageRequest& request) {
  Token token;
  if (!request.token.empty()) token = TRY(parse_token(request.token, 'f'));
  Place place;
  if (!recall(ns, id, request.token, place)) place = TRY(place_before(ns, id, token.seq));
  const auto tell = [&](Told told) {
    if (told.event.id >= token.event) place.ahead.push_back(std::move(told));
  };
  // One more than asked for tells whether there is another page.
  bool more = true;
  while (more && place.ahead.size() <= request.limit) more = TRY(fold_some(place, kEnd, tell));
  EventPage page;
  while (!place.ahead.empty() && page.events.size() < request.limit) {
    page.events.push_back(std::move(place.ahead.front().event));
    place.ahead.pop_front();
  }
  name_places(page, *place.program);
  if (place.ahead.empty()) return page;
  const Token next{'f', place.ahead.front().seq - 1, place.ahead.front().event.id};
  page.next = place.token = next.text();
  if (place.ahead.size() <= kMostAhead) remember(std::move(place));
  return page;
}

Result<EventPage> HistoryReader::read_backwards(const Namespace& ns, ExecutionId id,
                                                const PageRequest& request) {
  Token token{'b', kEnd, kEnd};
  if (!request.token.empty()) token = TRY(parse_token(request.token, 'b'));
  std::deque<Told> told;  // The newest last.
  ProgramRef program;
  std::uint64_t up_to = token.seq, at_most = token.seq == kEnd ? kEnd : token.seq - 1;
  while (told.size() <= request.limit) {
    Place place = TRY(place_before(ns, id, at_most));
    program = place.program;
    const std::uint64_t begin = place.seq;
    std::deque<Told> part;
    const auto tell = [&](Told one) {
      if (one.event.id >= token.event) return;
      part.push_back(std::move(one));
      if (part.size() > request.limit + 1) part.pop_front();
    };
    while (TRY(fold_some(place, up_to, tell))) {
    }
    while (!part.empty() && told.size() <= request.limit) {
      told.push_front(std::move(part.back()));
      part.pop_back();
    }
    if (begin == 0) break;
    up_to = begin;
    at_most = begin - 1;
  }
  EventPage page;
  std::uint64_t oldest_seq = 0;
  while (!told.empty() && page.events.size() < request.limit) {
    oldest_seq = told.back().seq;
    page.events.push_back(std::move(told.back().event));
    told.pop_back();
  }
  if (program != nullptr) name_places(page, *program);
  if (!told.empty()) page.next = Token{'b', oldest_seq, page.events.back().id}.text();
  return page;
}

void HistoryReader::remember(Place place) {
  const MutexLock lock(mutex_);
  places_.push_front(std::move(place));
  if (places_.size() > kPlaces) places_.pop_back();
}

bool HistoryReader::recall(const Namespace& ns, ExecutionId id, const std::string& token,
                           Place& place) {
  if (token.empty()) return false;
  const MutexLock lock(mutex_);
  for (auto at = places_.begin(); at != places_.end(); ++at) {
    if (at->ns != ns || at->id != id || at->token != token) continue;
    place = std::move(*at);
    places_.erase(at);
    return true;
  }
  return false;
}

}  // namespace stepwell::runtime
