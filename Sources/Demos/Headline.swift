// Lesson: one thread is enough for many things at once, if they wait more than they work.

@MainActor
func headline() throws {
    try syncAsync()
    try fetch()
    put(
        "\n"
            + Console.styled(
                "The same waits, still one thread: the loop waits for all of them at the same time.", .bold))
}
