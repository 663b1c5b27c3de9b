// One evaluation of one expression: its variables (frames), its functions, and the count of work.
//
// Each public or private function evaluates one kind of node; the comment before a group names the
// file that has them.  All throw Error.  For one evaluation on one thread; frames and functions
// that it made do not outlive it.
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "language/expr/jsonata.h"
#include "language/expr/jsonata/ast.h"
#include "language/expr/jsonata/error.h"
#include "language/expr/jsonata/item.h"
#include "language/expr/jsonata/number_text.h"

namespace stepwell::expr::jsonata {

struct Frame;
using FramePtr = std::shared_ptr<Frame>;
using Items = std::vector<Item>;

// Variables in sight.  A lambda keeps the frame in which it was made, which may hold the lambda:
// the evaluator knows all living frames and empties them at its end.
struct Frame : std::enable_shared_from_this<Frame> {
  Frame(FramePtr outer, Frame** first);
  ~Frame();
  Frame(const Frame&) = delete;
  Frame& operator=(const Frame&) = delete;

  void bind(Symbol name, Item value);
  const Item* find(Symbol name) const;

  FramePtr outer;
  std::vector<std::pair<Symbol, Item>> bindings;
  Frame** first;
  Frame* next = nullptr;
  Frame* previous = nullptr;
};

struct Tuple {
  Item at;
  std::vector<std::pair<Symbol, Item>> bindings;

  void bind(Symbol name, Item value);
};
struct TupleStream {
  std::vector<Tuple> tuples;
};

struct Function {
  enum class Kind : std::uint8_t {
    kLambda,     // node, frame, input
    kBuiltin,    // builtin
    kRegex,      // node
    kNextMatch,  // node, subject, from: the `next` of a match
    kTransform,  // node, frame
    kPartial,    // target, bound: arguments that are there; the others are open
    kChain,      // target, then: f ~> g
    kTail,       // target, bound: a call to be made after this one returned; never seen outside
  };
  explicit Function(Kind what = Kind::kLambda) : kind(what) {}

  Kind kind;
  const Node* node = nullptr;
  const Builtin* builtin = nullptr;
  FramePtr frame;
  Item input;
  Item target, then;
  Items bound;
  std::vector<bool> open;  // Of a kPartial, by argument.
  std::string subject;
  std::size_t from = 0;
};

class Evaluator {
 public:
  Evaluator(const Symbols& symbols, const JsonataScope& scope, const JsonataLimits& limits);
  ~Evaluator();
  Evaluator(const Evaluator&) = delete;
  Evaluator& operator=(const Evaluator&) = delete;

  Item run(const Node& root);
  // Throws when the value, written out, would be larger than all that was read and may be made.
  void must_be_measurable(const Value& value) const;

  // ---- For functions ----
  // Calls a function with exactly these arguments.
  Item apply(const Item& function, Items args, const Item& input);
  // For $map and the like: calls with as many of the three arguments as the function has
  // parameters.
  Item apply_each(const Item& function, const Item& value, const Item& key, const Item& whole);
  std::size_t arity(const Item& function) const;
  // The element of an array, the member of an object: may be a function.
  Item item_of(const Value& value) const;
  // The value that represents an item inside of an array or object; null for undefined.
  Value value_of(const Item& item);
  // Count work and bytes; throw U1001 when a limit is exceeded.
  void work(std::uint64_t operations = 1);
  void room(std::size_t bytes);
  // Throws as room() does, and counts nothing: for a text that is still being made.
  void must_fit(std::size_t bytes) const;
  // Counts the work of looking through so much text.
  void scan(std::size_t bytes) { work(1 + bytes / 64); }
  std::uint64_t work_left() const { return limits_.max_operations - operations_; }
  // The first match at or after `from`; its steps are operations.
  std::optional<Match> find(const Regex& regex, std::string_view subject, std::size_t from);
  bool truth(const Item& item);
  bool equal(const Item& left, const Item& right);
  // < 0, 0, > 0.
  int compare_texts(const std::string& left, const std::string& right);
  Item lookup(const Item& input, std::string_view key);
  Item append(Item left, const Item& right);
  std::string to_text(const Item& item, bool pretty = false);
  // Is the item a number?  Throws D1001 for a number that JSON cannot hold.
  bool is_numeric(const Item& item) const;
  const JsonataScope& scope() const { return scope_; }
  // The item as the message of an error names it.
  std::string show(const Item& item);

 private:
  friend struct DepthGuard;
  FramePtr new_frame(const FramePtr& outer);
  FramePtr frame_of(const FramePtr& outer, const Tuple& tuple);

  // evaluate.cc
  Item evaluate(const Node& node, const Item& input, const FramePtr& frame);
  Item evaluate_kind(const Node& node, const Item& input, const FramePtr& frame);
  Item variable(const Node& node, const Item& input, const FramePtr& frame);
  Item array(const Node& node, const Item& input, const FramePtr& frame);
  Item block(const Node& node, const Item& input, const FramePtr& frame);
  Item condition(const Node& node, const Item& input, const FramePtr& frame);
  void must_be_shallow(const Item& item) const;
  Item wildcard(const Item& input);
  void flatten(const Value& value, Value::Array& out);
  Item descendants(const Item& input);
  void descend(const Value& value, Value::Array& out);
  const Value& states();

  // operators.cc
  Item binary(const Node& node, const Item& input, const FramePtr& frame);
  Item negate(const Node& node, const Item& input, const FramePtr& frame);
  Item arithmetic(const Node& node, const Item& left, const Item& right);
  Item comparison(const Node& node, const Item& left, const Item& right);
  Item range(const Node& node, const Item& left, const Item& right);

  // path.cc
  Item path(const Node& node, const Item& input, const FramePtr& frame);
  Item step(const Node& node, const Item& input, bool is_list, const FramePtr& frame, bool is_last);
  Item filter(const Node& predicate, const Item& input, const FramePtr& frame);
  bool selects(const Item& answer, std::size_t index, std::size_t size, std::size_t& times);
  Item stages(const Node& node, Item result, const FramePtr& frame);

  // tuples.cc
  Item tuple_step(const Node& node, const Item& input, bool is_list, const Item& tuples,
                  const FramePtr& frame);
  Item filter_tuples(const Node& predicate, const TupleStream& stream, const FramePtr& frame);
  Item sort(const Node& node, const Item& input, const FramePtr& frame);
  Item sort_tuples(const Node& node, const TupleStream& stream, const FramePtr& frame);
  int compare(const Node& node, const Items& left, const Items& right);
  Item group(const Pairs& pairs, std::size_t at, const Item& input, const FramePtr& frame);
  Item group_tuples(const Pairs& pairs, std::size_t at, const TupleStream& stream,
                    const FramePtr& frame);

  // apply.cc
  Item call(const Node& node, const Item& input, const FramePtr& frame, const Item* first);
  Item apply_once(const Function& function, Items args, const Item& input);
  Item apply_lambda(const Function& function, Items args, const Item& input);
  Item apply_regex(const Function& function, const Items& args);
  Item apply_partial(const Function& function, const Items& args, const Item& input);
  Item partial(const Node& node, const Item& input, const FramePtr& frame);
  Item apply_operator(const Node& node, const Item& input, const FramePtr& frame);
  Item match_object(const Function& function, const std::string& subject, std::size_t from);

  // transform.cc
  Item transform(const Function& function, const Item& input);

  const Symbols& symbols_;
  const JsonataScope& scope_;
  const JsonataLimits& limits_;
  Item root_;
  Value states_;
  std::uint64_t operations_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint32_t depth_ = 0;
  Frame* frames_ = nullptr;
  // Functions inside of arrays and objects, by the empty object that represents each there.
  std::unordered_map<const void*, std::pair<Value, Item>> boxed_;
};

// A deep copy in which no array or object is shared.
Value deep_copy(const Value& value);

}  // namespace stepwell::expr::jsonata
