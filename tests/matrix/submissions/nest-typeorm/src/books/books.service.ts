import { ConflictException, Injectable, NotFoundException } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { ILike, MoreThan, QueryFailedError, Repository } from 'typeorm';
import { Book } from './book.entity';
import { CreateBookDto, PageDto } from './books.dto';

@Injectable()
export class BooksService {
  constructor(@InjectRepository(Book) private readonly books: Repository<Book>) {}

  async create(dto: CreateBookDto) {
    try {
      return await this.books.save(this.books.create(dto));
    } catch (err) {
      if (err instanceof QueryFailedError && err.driverError.code === '23505')
        throw new ConflictException('A book with this isbn exists');
      throw err;
    }
  }

  list({ page, limit }: PageDto) {
    return this.books.find({ order: { title: 'ASC' }, take: limit, skip: (page - 1) * limit });
  }

  search(q: string) {
    return this.books.find({
      where: [{ title: ILike(`%${q}%`) }, { author: ILike(`%${q}%`) }],
      order: { title: 'ASC' },
    });
  }

  async get(id: number) {
    const book = await this.books.findOneBy({ id });
    if (!book) throw new NotFoundException('Book not found');
    return book;
  }

  async update(id: number, changes: Partial<Book>) {
    const book = await this.get(id);
    return this.books.save({ ...book, ...changes, id });
  }

  async remove(id: number) {
    await this.books.remove(await this.get(id));
  }

  async sell(id: number) {
    const book = await this.get(id);
    const { affected } = await this.books.decrement({ id, stock: MoreThan(0) }, 'stock', 1);
    if (!affected) throw new ConflictException('No copy is left');
    return { ...book, stock: book.stock - 1 };
  }

  async stats() {
    return { books: await this.books.count(), copies: Number(await this.books.sum('stock')) };
  }
}
