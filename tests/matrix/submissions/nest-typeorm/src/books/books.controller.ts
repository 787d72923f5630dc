import {
  Body, Controller, Delete, Get, HttpCode, HttpStatus, Param, ParseIntPipe, Patch, Post, Query,
} from '@nestjs/common';
import { Book } from './book.entity';
import { CreateBookDto, PageDto } from './books.dto';
import { BooksService } from './books.service';

const Id = () => Param('id', new ParseIntPipe({ errorHttpStatusCode: HttpStatus.NOT_FOUND }));

@Controller('books')
export class BooksController {
  constructor(private readonly books: BooksService) {}

  @Post()
  create(@Body() dto: CreateBookDto) {
    return this.books.create(dto);
  }

  @Get()
  list(@Query() page: PageDto) {
    return this.books.list(page);
  }

  @Get('search')
  search(@Query('q') q = '') {
    return this.books.search(q);
  }

  @Get(':id')
  get(@Id() id: number) {
    return this.books.get(id);
  }

  @Patch(':id')
  update(@Id() id: number, @Body() changes: Partial<Book>) {
    return this.books.update(id, changes);
  }

  @Delete(':id')
  @HttpCode(204)
  remove(@Id() id: number) {
    return this.books.remove(id);
  }

  @Post(':id/sell')
  @HttpCode(200)
  sell(@Id() id: number) {
    return this.books.sell(id);
  }
}

@Controller('stats')
export class StatsController {
  constructor(private readonly books: BooksService) {}

  @Get()
  stats() {
    return this.books.stats();
  }
}
