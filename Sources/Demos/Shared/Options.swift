/// What the command line asks for.
struct Options {
    var names: [String] = []
    var isFast = false
    var isQuiet = false
    var showsHelp = false
    /// Where to write what happened, as a file that ends in .json or .html.
    var trace: String?

    struct Mistake: Error {
        let description: String
    }

    init(_ arguments: [String]) throws(Mistake) {
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            switch argument {
            case "--fast": isFast = true
            case "--quiet": isQuiet = true
            case "--help", "-h", "help", "list": showsHelp = true
            case "--trace":
                guard let file = rest.popFirst() else {
                    throw Mistake(description: "--trace needs a file: --trace FILE.json or --trace FILE.html")
                }
                guard file.hasSuffix(".json") || file.hasSuffix(".html") else {
                    throw Mistake(description: "--trace writes .json or .html, and \(file) is neither")
                }
                trace = file
            case _ where argument.hasPrefix("--"):
                throw Mistake(description: "there is no option \(argument)")
            default: names.append(argument)
            }
        }
    }
}
