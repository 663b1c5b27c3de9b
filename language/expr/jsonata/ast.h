// The syntax tree of a JSONata expression: parser.cc makes it, analyse.cc rewrites it, the
// evaluator walks it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/value.h"
#include "language/expr/jsonata/signature.h"
#include "language/expr/regex.h"

namespace stepwell::expr::jsonata {

struct Builtin;

// A name of a variable, numbered: frames compare numbers.
using Symbol = std::int32_t;
constexpr Symbol kNoSymbol = -1;

enum class NodeKind : std::uint8_t {
  kPath,        // list: the steps
  kBinary,      // lhs op rhs
  kNegate,      // lhs
  kArray,       // list
  kObject,      // pairs
  kName,        // text
  kLiteral,     // value
  kWildcard,    // *
  kDescendant,  // **
  kParent,      // %: slot
  kCondition,   // lhs ? rhs : third
  kBlock,       // list
  kBind,        // symbol := rhs
  kRegex,       // regex
  kCall,        // lhs(list)
  kPartial,     // lhs(list), with some arguments left open
  kVariable,    // symbol, text; text is "" for `$` and "$" for `$$`
  kLambda,      // params, rhs: the body
  kApply,       // lhs ~> rhs
  kTransform,   // | lhs | rhs, third |
  kSort,        // A step: terms
  kOpen,        // `?` among the arguments of a kPartial
  kEnd,         // An operand is missing; analyse() refuses it.
};

enum class Op : std::uint8_t {
  kNone,
  // Only before analyse():
  kDot,
  kFilter,
  kGroup,
  kOrderBy,
  kAssign,
  kFocus,
  kIndex,
  kChain,
  // Operators that are evaluated:
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kModulo,
  kEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kConcat,
  kRange,
  kIn,
  kAnd,
  kOr,
};
const char* text_of(Op op);

struct Node;
using NodePtr = std::shared_ptr<Node>;
using Pairs = std::vector<std::pair<NodePtr, NodePtr>>;

// Where a `%` finds its ancestor: an earlier step stores its own input under `label`.
struct Slot {
  Symbol label = kNoSymbol;
  int level = 1;
  std::size_t index = 0;  // Of the `%`, counted in the order of the text.
};
using SlotPtr = std::shared_ptr<Slot>;

struct Group {
  Pairs pairs;
  std::size_t at = 0;
};
// What follows a step: [filter], or #$index after one.
struct Stage {
  NodePtr filter;  // Null for an index.
  Symbol index = kNoSymbol;
};
struct SortTerm {
  NodePtr expression;
  bool descending = false;
};

struct Node {
  NodeKind kind;
  Op op = Op::kNone;
  std::size_t at = 0;
  std::string text;
  Symbol symbol = kNoSymbol;
  Value value;
  NodePtr lhs, rhs, third;
  std::vector<NodePtr> list;
  Pairs pairs;
  std::vector<SortTerm> terms;
  std::vector<Symbol> params;
  std::shared_ptr<const Signature> signature;
  std::shared_ptr<const Regex> regex;
  const Builtin* builtin = nullptr;  // kVariable: the function of that name, unless rebound.

  std::vector<NodePtr> predicates;  // Of a node that is not a step.
  std::vector<Stage> stages;        // Of a step.
  std::shared_ptr<Group> group;
  bool keep_array = false;            // Followed by [].
  bool keep_singleton_array = false;  // A path with such a step.
  bool cons_array = false;            // An array constructor at an end of a path: not flattened.
  bool is_tail = false;               // A call that is the last thing its lambda does.
  bool tuple = false;                 // A step that carries bindings along, or a path of such.
  Symbol focus = kNoSymbol, index = kNoSymbol;
  SlotPtr slot;      // Of a `%`.
  SlotPtr ancestor;  // This step remembers its input there.
  std::vector<SlotPtr> seeking;
};

// The names of all variables in one expression.
class Symbols {
 public:
  Symbol intern(const std::string& name);
  const std::string& name(Symbol symbol) const { return names_[static_cast<std::size_t>(symbol)]; }

 private:
  std::vector<std::string> names_;
};

struct Tree {
  NodePtr root;
  Symbols symbols;
};

// Throw Error.
Tree parse_tree(std::string_view text);
// Turns the parsed operators into paths, stages, groups; finds ancestors and tail calls.
NodePtr analyse(NodePtr root, Symbols& symbols);

}  // namespace stepwell::expr::jsonata
