#include "language/expr/jsonata/signature.h"

#include "language/expr/jsonata/error.h"
#include "language/expr/jsonata/evaluator.h"

namespace stepwell::expr::jsonata {

namespace {

// The letters of the kinds of arguments; each is a bit.  `m` is a missing argument.
constexpr std::string_view kLetters = "asnblfom";

// So many tries find the arguments of every ordinary call; those beyond are counted as work.
constexpr std::size_t kFreeTries = 64;
// Parameters are assigned one inside of the other.
constexpr std::size_t kMostParams = 200;

std::uint8_t bits_of(std::string_view letters) {
  std::uint8_t bits = 0;
  for (const char c : letters) {
    const std::size_t bit = kLetters.find(c);
    if (bit != std::string_view::npos) bits = static_cast<std::uint8_t>(bits | (1u << bit));
  }
  return bits;
}

char letter_of(const Item& item) {
  if (item.is_undefined()) return 'm';
  if (item.is_function()) return 'f';
  if (!item.is_value()) return 'o';
  switch (item.value().kind()) {
    case Value::Kind::kNull: return 'l';
    case Value::Kind::kBool: return 'b';
    case Value::Kind::kInt:
    case Value::Kind::kDouble: return 'n';
    case Value::Kind::kString: return 's';
    case Value::Kind::kArray: return 'a';
    case Value::Kind::kObject: return 'o';
  }
  return 'm';
}

const char* plural_of(char letter) {
  switch (letter) {
    case 'a': return "arrays";
    case 'b': return "booleans";
    case 'f': return "functions";
    case 'n': return "numbers";
    case 'o': return "objects";
    default: return "strings";
  }
}

std::size_t closing(std::string_view text, std::size_t start, char open, char close) {
  int depth = 1;
  std::size_t at = start;
  while (++at < text.size()) {
    if (text[at] == open) ++depth;
    if (text[at] == close && --depth == 0) break;
  }
  return at;
}

// Does the array hold only elements of the type of its parameter ("a<n>")?
bool fits_subtype(Evaluator& evaluator, const Item& item, char letter, const std::string& subtype) {
  if (letter != 'a') return subtype == std::string(1, letter);
  const auto& items = item.array();
  if (items.empty()) return true;
  evaluator.work(items.size() / 8);
  for (const Value& one : items) {
    if (letter_of(evaluator.item_of(one)) != subtype[0]) return false;
  }
  return true;
}

}  // namespace

Signature Signature::parse(std::string_view text) {
  Signature signature;
  auto& params = signature.params_;
  for (std::size_t at = 1; at < text.size() && text[at] != ':'; ++at) {
    const char symbol = text[at];
    const auto add = [&](std::string_view letters) {
      Param param;
      param.type = symbol;
      param.accepts = bits_of(letters);
      if (params.size() == kMostParams) {
        raise("U1001", "A signature has more than 200 parameters");
      }
      params.push_back(std::move(param));
    };
    const std::string own{symbol, 'm'};
    switch (symbol) {
      case 's':
      case 'n':
      case 'b':
      case 'l':
      case 'o': add(own); break;
      case 'a':
      case 'x': add("asnblfom"); break;
      case 'f': add("f"); break;
      case 'j': add("asnblom"); break;
      case '-':
      case '?':
      case '+':
        if (params.empty()) break;
        params.back().from_context = params.back().from_context || symbol == '-';
        params.back().optional = params.back().optional || symbol != '+';
        params.back().repeated = params.back().repeated || symbol == '+';
        break;
      case '(': {
        const std::size_t end = closing(text, at, '(', ')');
        const std::string choice(text.substr(at + 1, end - at - 1));
        if (choice.find('<') != std::string::npos) fail_at("S0402", at);
        add(choice + "m");
        at = end;
        break;
      }
      case '<': {
        if (params.empty() || (params.back().type != 'a' && params.back().type != 'f')) {
          fail_at("S0401", at);
        }
        const std::size_t end = closing(text, at, '<', '>');
        params.back().subtype = text.substr(at + 1, end - at - 1);
        at = end;
        break;
      }
      default: break;
    }
  }
  return signature;
}

// Matches the letters of the arguments with the parameters, as a regular expression would: each
// parameter takes as many letters as it can while the rest still fit.
bool Signature::assign(Evaluator& evaluator, const std::string& letters, std::size_t param,
                       std::size_t letter, Assigned& assigned) const {
  // With many arguments there are more ways to share them out than could ever be tried.
  if (++assigned.tries > kFreeTries) evaluator.work();
  if (param == params_.size()) return letter == letters.size();
  const Param& one = params_[param];
  const auto accepts = [&](std::size_t at) {
    return at < letters.size() && (bits_of(letters.substr(at, 1)) & one.accepts) != 0;
  };
  std::size_t most = 0;
  while (accepts(letter + most) && (most == 0 || one.repeated)) ++most;
  const std::size_t least = one.optional ? 0 : 1;
  for (std::size_t count = most + 1; count-- > least;) {
    assigned.counts[param] = count;
    if (assign(evaluator, letters, param + 1, letter + count, assigned)) return true;
  }
  return false;
}

void Signature::refuse(const std::string& letters) const {
  // The first argument that does not fit is the one that the error names.
  std::size_t good = 0;
  for (const Param& one : params_) {
    std::size_t taken = 0;
    while (good + taken < letters.size() && (taken == 0 || one.repeated) &&
           (bits_of(letters.substr(good + taken, 1)) & one.accepts) != 0) {
      ++taken;
    }
    if (taken == 0 && !one.optional) break;
    good += taken;
  }
  Error error;
  error.code = "T0410";
  error.index = good + 1;
  raise(std::move(error));
}

Item Signature::from_context(Evaluator& evaluator, const Param& param, const Item& context,
                             std::size_t index) {
  const char letter = letter_of(context);
  if ((bits_of(std::string_view(&letter, 1)) & param.accepts) != 0) return context;
  Error error;
  error.code = "T0411";
  error.index = index + 1;
  error.value = evaluator.show(context);
  raise(std::move(error));
}

Item Signature::fit_one(Evaluator& evaluator, const Param& param, char letter, Item item,
                        std::size_t index) {
  if (param.type != 'a' || letter == 'm') return item;
  const bool is_array = letter == 'a' && item.is_array();
  if (!param.subtype.empty() &&
      !fits_subtype(evaluator, item, is_array ? 'a' : letter, param.subtype)) {
    Error error;
    error.code = "T0412";
    error.index = index + 1;
    error.type = plural_of(param.subtype[0]);
    raise(std::move(error));
  }
  if (is_array) return item;
  return Value(Value::Array{evaluator.value_of(item)});
}

void Signature::fit(Evaluator& evaluator, std::vector<Item>& args, const Item& context) const {
  std::string letters;
  for (const Item& item : args) letters += letter_of(item);
  Assigned assigned{std::vector<std::size_t>(params_.size())};
  if (!assign(evaluator, letters, 0, 0, assigned)) refuse(letters);
  const std::vector<std::size_t>& counts = assigned.counts;
  Items fitted;
  fitted.reserve(params_.size());
  // As in the reference, an optional argument that was left out still takes a place, so those after
  // it move along.
  std::size_t next = 0, letter_at = 0;
  const auto argument = [&](std::size_t index) {
    return index < args.size() ? args[index] : Item();
  };
  for (std::size_t i = 0; i < params_.size(); ++i) {
    const Param& param = params_[i];
    if (counts[i] == 0 && param.from_context) {
      fitted.push_back(from_context(evaluator, param, context, next));
    } else if (counts[i] == 0) {
      fitted.push_back(argument(next++));
    }
    for (std::size_t k = 0; k < counts[i]; ++k, ++next) {
      fitted.push_back(fit_one(evaluator, param, letters[letter_at++], argument(next), next));
    }
  }
  args = std::move(fitted);
}

}  // namespace stepwell::expr::jsonata
