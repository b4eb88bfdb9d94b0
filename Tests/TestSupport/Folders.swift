import Glibc

/// The names of what is in a folder; nil if there is none that can be read.
public func names(in folder: String) -> [String]? {
    guard let directory = opendir(folder) else { return nil }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
        // Read in place: a record ends with its name, and a copy of the whole field would read beyond that.
        let name = UnsafeRawPointer(entry) + MemoryLayout<dirent>.offset(of: \.d_name)!
        names.append(String(cString: name.assumingMemoryBound(to: CChar.self)))
    }
    return names
}
