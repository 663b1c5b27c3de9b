// The signature of a function: "<s-nn?:s>" is a string (or the context), a number, maybe one more.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace stepwell::expr::jsonata {

class Item;
class Evaluator;

class Signature {
 public:
  // Throws Error S0401, S0402 (`at` counts from the beginning of the signature).
  static Signature parse(std::string_view text);

  // Completes `args`: puts in the context where it was left out, wraps a single value where an
  // array is wanted.  Throws Error T0410, T0411, T0412 when the arguments do not fit.
  void fit(Evaluator& evaluator, std::vector<Item>& args, const Item& context) const;

 private:
  struct Param {
    char type = 'x';            // 'a', 'f', 's', ..., '(' for a choice.
    std::uint8_t accepts = 0;   // Bits of the letters it takes.
    bool optional = false;      // `?`, or `-`
    bool repeated = false;      // `+`
    bool from_context = false;  // `-`
    std::string subtype;        // Of "a<n>".
  };
  // How many letters each parameter takes, and how often that was tried.
  struct Assigned {
    std::vector<std::size_t> counts;
    std::size_t tries = 0;
  };
  bool assign(Evaluator& evaluator, const std::string& letters, std::size_t param,
              std::size_t letter, Assigned& assigned) const;
  [[noreturn]] void refuse(const std::string& letters) const;
  static Item from_context(Evaluator& evaluator, const Param& param, const Item& context,
                           std::size_t index);
  static Item fit_one(Evaluator& evaluator, const Param& param, char letter, Item item,
                      std::size_t index);

  std::vector<Param> params_;
};

}  // namespace stepwell::expr::jsonata
